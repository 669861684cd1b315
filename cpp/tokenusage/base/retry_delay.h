// SPDX-License-Identifier: Apache-2.0

// Computes how long to wait before a failed call is repeated.
//
//   for (int failures = 0; !Call().ok(); ++failures) {
//     absl::SleepFor(RetryDelay(absl::Milliseconds(100), absl::Seconds(30),
//                               failures));
//   }

#ifndef TOKENUSAGE_BASE_RETRY_DELAY_H_
#define TOKENUSAGE_BASE_RETRY_DELAY_H_

#include "absl/time/time.h"

namespace tokenusage {

// Returns the delay after a failed call, if `failures` calls failed before it:
// `min`, doubled for each of these, up to `max`, less a random part of at most
// half, which keeps callers from retrying all at once. Thread-safe.
absl::Duration RetryDelay(absl::Duration min, absl::Duration max, int failures);

}  // namespace tokenusage

#endif  // TOKENUSAGE_BASE_RETRY_DELAY_H_
