// SPDX-License-Identifier: Apache-2.0

// The time, as a UsageReporter sees it. Tests replace it with their own.
//
//   absl::Time event_time = Clock::Real()->Now();

#ifndef TOKENUSAGE_CLIENT_CLOCK_H_
#define TOKENUSAGE_CLIENT_CLOCK_H_

#include <condition_variable>
#include <mutex>

#include "absl/time/time.h"

namespace tokenusage {

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;

  // Returns the clock that reads the system's time.
  static Clock* Real();

  // Returns the time of day, which may jump.
  virtual absl::Time Now() = 0;

  // Returns the time since some fixed point. It never jumps; every wait is
  // measured by it.
  virtual absl::Duration Uptime() = 0;

  // Waits until `condition` is notified, but not much longer than `timeout`.
  // May return early. `lock` is released meanwhile.
  virtual void Wait(std::condition_variable* condition,
                    std::unique_lock<std::mutex>* lock,
                    absl::Duration timeout) = 0;

  // Waits until `predicate` holds, but not much longer than `timeout`, and
  // returns whether it holds.
  template <typename Predicate>
  bool WaitUntil(std::condition_variable* condition,
                 std::unique_lock<std::mutex>* lock, absl::Duration timeout,
                 Predicate predicate) {
    const absl::Duration end = Uptime() + timeout;
    while (!predicate()) {
      const absl::Duration left = end - Uptime();
      if (left <= absl::ZeroDuration()) return false;
      Wait(condition, lock, left);
    }
    return true;
  }
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLIENT_CLOCK_H_
