// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/client/clock.h"

#include <algorithm>
#include <chrono>

#include "absl/time/clock.h"

namespace tokenusage {
namespace {

class RealClock : public Clock {
 public:
  absl::Time Now() override { return absl::Now(); }

  absl::Duration Uptime() override {
    return absl::FromChrono(
        std::chrono::steady_clock::now().time_since_epoch());
  }

  void Wait(std::condition_variable* condition,
            std::unique_lock<std::mutex>* lock,
            absl::Duration timeout) override {
    // The end of a longer wait might overflow.
    condition->wait_for(
        *lock, absl::ToChronoNanoseconds(std::min(timeout, absl::Hours(24))));
  }
};

}  // namespace

Clock* Clock::Real() {
  static RealClock* const clock = new RealClock;
  return clock;
}

}  // namespace tokenusage
