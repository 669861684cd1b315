// Ends long reads at their limits.

#ifndef TOKENUSAGE_STORE_DEADLINE_H_
#define TOKENUSAGE_STORE_DEADLINE_H_

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "tokenusage/store/usage_query.h"

namespace tokenusage {

// For the body of a loop; looks at the limits on one call of many. `limits`
// must outlive it.
class DeadlineCheck {
 public:
  explicit DeadlineCheck(const ReadLimits& limits) : limits_(limits) {}

  // DEADLINE_EXCEEDED once the deadline has passed, CANCELLED once nobody
  // waits.
  absl::Status Check() {
    constexpr int kCallsPerLook = 256;
    if (++calls_ % kCallsPerLook != 0) return absl::OkStatus();
    return CheckNow();
  }

  absl::Status CheckNow() const {
    if (limits_.is_cancelled && limits_.is_cancelled()) {
      return absl::CancelledError("the caller has gone");
    }
    if (absl::Now() < limits_.deadline) return absl::OkStatus();
    return absl::DeadlineExceededError(
        "the query took longer than its deadline allows; ask for a shorter "
        "time window");
  }

 private:
  const ReadLimits& limits_;
  unsigned int calls_ = 0;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_DEADLINE_H_
