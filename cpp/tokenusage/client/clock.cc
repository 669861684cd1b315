// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/client/clock.h"

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
    if (timeout == absl::InfiniteDuration()) {
      condition->wait(*lock);
    } else {
      condition->wait_for(*lock, absl::ToChronoNanoseconds(timeout));
    }
  }
};

}  // namespace

Clock* Clock::Real() {
  static RealClock* const clock = new RealClock;
  return clock;
}

}  // namespace tokenusage
