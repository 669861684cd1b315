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

// Returns the counts of a usage, by the rules of its provider. Leaves out those
// that are not from 0 to kMaxCount, which UsageRules in usage_rules.h refuses.
// If `why` is not null, appends a description of each contradiction to it.
// Thread-safe.
template <typename Usage>
UsageCounts CountUsage(const Usage& usage,
                       std::vector<v1::UsageInconsistency>* why = nullptr) {
  UsageCounts counts;
  usage_internal::Counter counter(&counts, why);
  Count(usage, &counter);  // the overload in the provider's header
  return counts;
}

}  // namespace tokenusage

#endif  // TOKENUSAGE_USAGE_COUNT_USAGE_H_
