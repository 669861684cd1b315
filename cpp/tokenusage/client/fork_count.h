// SPDX-License-Identifier: Apache-2.0

// Tells a forked child from its parent.
//
//   const int fork_count = ForkCount();
//   ...
//   if (ForkCount() != fork_count) return IsForked();

#ifndef TOKENUSAGE_CLIENT_FORK_COUNT_H_
#define TOKENUSAGE_CLIENT_FORK_COUNT_H_

namespace tokenusage {

// Returns a number that each fork increases by 1 in the child, and leaves as it
// is in the parent. Forks before the first call do not count. Much faster than
// getpid(). Thread-safe.
int ForkCount();

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLIENT_FORK_COUNT_H_
