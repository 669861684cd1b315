// Ends long reads at their deadline.

#ifndef TOKENUSAGE_STORE_DEADLINE_H_
#define TOKENUSAGE_STORE_DEADLINE_H_

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace tokenusage {

// For the body of a loop; looks at the clock on one call of many.
class DeadlineCheck {
 public:
  explicit DeadlineCheck(absl::Time deadline) : deadline_(deadline) {}

  // DEADLINE_EXCEEDED once the deadline has passed.
  absl::Status Check() {
    constexpr int kCallsPerLook = 256;
    if (++calls_ % kCallsPerLook != 0) return absl::OkStatus();
    return CheckNow();
  }

  absl::Status CheckNow() const {
    if (absl::Now() < deadline_) return absl::OkStatus();
    return absl::DeadlineExceededError(
        "the query took longer than its deadline allows; ask for a shorter "
        "time window");
  }

 private:
  absl::Time deadline_;
  unsigned int calls_ = 0;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_DEADLINE_H_
