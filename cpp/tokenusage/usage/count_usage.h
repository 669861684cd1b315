// SPDX-License-Identifier: Apache-2.0

// Counts what a usage states. The header of the provider, such as openai.h, has
// the usages that can be counted.
//
//   UsageCounts counts = CountUsage(usage);

#ifndef TOKENUSAGE_USAGE_COUNT_USAGE_H_
#define TOKENUSAGE_USAGE_COUNT_USAGE_H_

#include <vector>

#include "tokenusage/usage/stated.h"
#include "tokenusage/usage/usage_counts.h"
#include "tokenusage/v1/measures.pb.h"

namespace tokenusage {

// Returns the counts of a usage, by the rules of its provider. They must be
// from 0 to kMaxCount (others are left out): see UsageRules in usage_rules.h.
// If `why` is not null, a description of each contradiction is appended to it.
// Thread-safe.
template <typename Usage>
UsageCounts CountUsage(const Usage& usage,
                       std::vector<v1::UsageInconsistency>* why = nullptr) {
  UsageCounts counts;
  usage_internal::Counter counter(&counts, why);
  Count(usage, &counter);  // that of the provider's header
  return counts;
}

}  // namespace tokenusage

#endif  // TOKENUSAGE_USAGE_COUNT_USAGE_H_
