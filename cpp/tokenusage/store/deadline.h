// SPDX-License-Identifier: Apache-2.0

// Ends calls at their limits.

#ifndef TOKENUSAGE_STORE_DEADLINE_H_
#define TOKENUSAGE_STORE_DEADLINE_H_

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "tokenusage/store/usage_query.h"

namespace tokenusage {

// DEADLINE_EXCEEDED where the deadline has passed, CANCELLED where nobody waits
// any more. Says OK to a deadline of InfiniteFuture at any time.
inline absl::Status CheckLimits(const CallLimits& limits, absl::Time now) {
  if (limits.is_cancelled && limits.is_cancelled()) {
    return absl::CancelledError("the caller has gone");
  }
  if (now < limits.deadline) return absl::OkStatus();
  return absl::DeadlineExceededError("the call's deadline has passed");
}

// For the body of a loop; looks at the limits on one call of many. `limits`
// must outlive it.
class DeadlineCheck {
 public:
  explicit DeadlineCheck(const CallLimits& limits) : limits_(limits) {}

  // DEADLINE_EXCEEDED once the deadline has passed, CANCELLED once nobody
  // waits.
  absl::Status Check() {
    constexpr int kCallsPerLook = 256;
    if (++calls_ % kCallsPerLook != 0) return absl::OkStatus();
    return CheckNow();
  }

  absl::Status CheckNow() const { return CheckLimits(limits_, absl::Now()); }

 private:
  const CallLimits& limits_;
  unsigned int calls_ = 0;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_DEADLINE_H_
