// SPDX-License-Identifier: Apache-2.0

// Counts a TokenUsage, whose fields are the measures themselves.
//
//   UsageCounts counts = CountUsage(usage);
//
// The counts of a usage must be from 0 to kMaxCount (others are left out): see
// UsageRules in usage_rules.h. If `why` is not null, a description of
// each contradiction is appended to it. Thread-safe.

#ifndef TOKENUSAGE_USAGE_TOKEN_USAGE_H_
#define TOKENUSAGE_USAGE_TOKEN_USAGE_H_

#include <vector>

#include "tokenusage/usage/usage_counts.h"
#include "tokenusage/v1/measures.pb.h"

namespace tokenusage {

// total_tokens is input_tokens + output_tokens if both are set and it is not.
UsageCounts CountUsage(const v1::TokenUsage& usage,
                       std::vector<v1::UsageInconsistency>* why = nullptr);

}  // namespace tokenusage

#endif  // TOKENUSAGE_USAGE_TOKEN_USAGE_H_
