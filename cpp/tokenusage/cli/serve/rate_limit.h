// SPDX-License-Identifier: Apache-2.0

// Bounds how often an event that outsiders cause is logged.
//
//   RateLimits limits(absl::Seconds(1), 10);
//   if (const auto left_out = limits.Admit("bad token", absl::Now())) {
//     Log(..., {{"left_out", absl::StrCat(*left_out)}});
//   }

#ifndef TOKENUSAGE_CLI_SERVE_RATE_LIMIT_H_
#define TOKENUSAGE_CLI_SERVE_RATE_LIMIT_H_

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "absl/time/time.h"

namespace tokenusage {

// Each kind of event has a separate limit. Thread-safe.
class RateLimits {
 public:
  // Admits one event per `interval`, and `burst` at once after a pause.
  RateLimits(absl::Duration interval, int burst)
      : interval_(interval), burst_(burst) {}

  // Returns the number of events of this kind that were left out since the last
  // one that was admitted, or nullopt if this one is left out, too. Outsiders
  // must not be able to invent kinds: they are never forgotten.
  std::optional<int> Admit(const std::string& kind, absl::Time now) {
    const std::lock_guard<std::mutex> lock(mutex_);
    Limit& limit = limits_[kind];
    const absl::Time next =
        std::max(limit.next, now - burst_ * interval_) + interval_;
    if (next > now) {
      ++limit.left_out;
      return std::nullopt;
    }
    limit.next = next;
    return std::exchange(limit.left_out, 0);
  }

 private:
  struct Limit {
    absl::Time next = absl::InfinitePast();
    int left_out = 0;
  };

  const absl::Duration interval_;
  const int burst_;
  std::mutex mutex_;
  std::map<std::string, Limit> limits_;  // guarded by mutex_
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLI_SERVE_RATE_LIMIT_H_
