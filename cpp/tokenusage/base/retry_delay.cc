// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/base/retry_delay.h"

#include <algorithm>
#include <random>

namespace tokenusage {

absl::Duration RetryDelay(absl::Duration min, absl::Duration max,
                          int failures) {
  thread_local std::minstd_rand random{std::random_device()()};
  absl::Duration delay = min;
  for (int i = 0; i < failures && delay < max; ++i) delay *= 2;
  return std::min(delay, max) *
         std::uniform_real_distribution<>(0.5, 1)(random);
}

}  // namespace tokenusage
