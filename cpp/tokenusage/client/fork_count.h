// SPDX-License-Identifier: Apache-2.0

// Tells a forked child from its parent.
//
//   const int fork_count = ForkCount();
//   ...
//   if (ForkCount() != fork_count) return IsForked();

#ifndef TOKENUSAGE_CLIENT_FORK_COUNT_H_
#define TOKENUSAGE_CLIENT_FORK_COUNT_H_

namespace tokenusage {

// Returns the number of forks, since the first call, between the first process
// and this one. Much faster than getpid(). Thread-safe.
int ForkCount();

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLIENT_FORK_COUNT_H_
