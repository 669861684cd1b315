// SPDX-License-Identifier: Apache-2.0

// Counts the usage that Google's endpoints state.
//
//   UsageCounts counts = CountUsage(usage);
//
// The counts of a usage must be from 0 to kMaxCount (others are left out): see
// UsageRules in usage_rules.h. If `why` is not null, a description of
// each contradiction is appended to it. Thread-safe.

#ifndef TOKENUSAGE_USAGE_GOOGLE_H_
#define TOKENUSAGE_USAGE_GOOGLE_H_

#include <vector>

#include "tokenusage/google/v1/generate_content.pb.h"
#include "tokenusage/google/v1/interactions.pb.h"
#include "tokenusage/google/v1/live.pb.h"
#include "tokenusage/google/v1/predict.pb.h"
#include "tokenusage/usage/usage_counts.h"

namespace tokenusage {

UsageCounts CountUsage(const google::v1::GenerateContentUsage& usage,
                       std::vector<v1::UsageInconsistency>* why = nullptr);
UsageCounts CountUsage(const google::v1::InteractionsUsage& usage,
                       std::vector<v1::UsageInconsistency>* why = nullptr);
UsageCounts CountUsage(const google::v1::LiveUsage& usage,
                       std::vector<v1::UsageInconsistency>* why = nullptr);
UsageCounts CountUsage(const google::v1::PredictEmbeddingsUsage& usage,
                       std::vector<v1::UsageInconsistency>* why = nullptr);

}  // namespace tokenusage

#endif  // TOKENUSAGE_USAGE_GOOGLE_H_
