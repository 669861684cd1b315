// SPDX-License-Identifier: Apache-2.0

// Bounds how often an event that outsiders cause is logged.
//
//   RateLimit limit(absl::Seconds(1), 10);
//   if (const std::optional<int> left_out = limit.Admit(absl::Now())) {
//     Log(..., {{"left_out", absl::StrCat(*left_out)}});
//   }

#ifndef TOKENUSAGE_CLI_SERVE_RATE_LIMIT_H_
#define TOKENUSAGE_CLI_SERVE_RATE_LIMIT_H_

#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>

#include "absl/time/time.h"

namespace tokenusage {

// Thread-safe.
class RateLimit {
 public:
  // Admits one event per `interval`, and `burst` at once after a pause.
  RateLimit(absl::Duration interval, int burst)
      : interval_(interval), burst_(burst) {}

  // Returns how many events were left out since the last one that was admitted,
  // or nothing if this one is left out, too.
  std::optional<int> Admit(absl::Time now) {
    const std::lock_guard<std::mutex> lock(mutex_);
    next_ = std::max(next_, now - burst_ * interval_) + interval_;
    if (next_ <= now) return std::exchange(left_out_, 0);
    next_ -= interval_;
    ++left_out_;
    return std::nullopt;
  }

 private:
  const absl::Duration interval_;
  const int burst_;
  std::mutex mutex_;
  absl::Time next_ = absl::InfinitePast();  // guarded by mutex_, as is the next
  int left_out_ = 0;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLI_SERVE_RATE_LIMIT_H_
