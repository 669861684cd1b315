// SPDX-License-Identifier: Apache-2.0

// Stops a call when its deadline passes or it is cancelled.
//
//   DeadlineCheck deadline(query.limits);
//   for (const Record& record : records) {
//     TOKENUSAGE_RETURN_IF_ERROR(deadline.Check());
//     Add(record);
//   }

#ifndef TOKENUSAGE_STORE_DEADLINE_H_
#define TOKENUSAGE_STORE_DEADLINE_H_

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "tokenusage/store/usage_query.h"

namespace tokenusage {

// Returns DEADLINE_EXCEEDED if the deadline has passed, CANCELLED if the caller
// disconnected. A deadline of InfiniteFuture never passes.
inline absl::Status CheckLimits(const CallLimits& limits,
                                absl::Time now = absl::Now()) {
  if (limits.is_cancelled && limits.is_cancelled()) {
    return absl::CancelledError("the caller disconnected");
  }
  if (now < limits.deadline) return absl::OkStatus();
  return absl::DeadlineExceededError("the call's deadline has passed");
}

// Calls CheckLimits in the body of a loop. `limits` must outlive it.
class DeadlineCheck {
 public:
  explicit DeadlineCheck(const CallLimits& limits) : limits_(limits) {}

  // Checks the limits in one of 256 calls.
  absl::Status Check() {
    if (++calls_ % 256 != 0) return absl::OkStatus();
    return CheckLimits(limits_);
  }

 private:
  const CallLimits& limits_;
  unsigned int calls_ = 0;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_DEADLINE_H_
