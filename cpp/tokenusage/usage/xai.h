// SPDX-License-Identifier: Apache-2.0

// Counts the usage that xAI's endpoints state.
//
//   UsageCounts counts = CountUsage(usage);
//
// The counts of a usage must be from 0 to kMaxCount (others are left out): see
// UsageRules in usage_rules.h. If `why` is not null, a description of
// each contradiction is appended to it. Thread-safe.

#ifndef TOKENUSAGE_USAGE_XAI_H_
#define TOKENUSAGE_USAGE_XAI_H_

#include <vector>

#include "tokenusage/usage/usage_counts.h"
#include "tokenusage/xai/v1/chat.pb.h"
#include "tokenusage/xai/v1/images.pb.h"
#include "tokenusage/xai/v1/responses.pb.h"
#include "tokenusage/xai/v1/sampling.pb.h"

namespace tokenusage {

UsageCounts CountUsage(const xai::v1::ChatUsage& usage,
                       std::vector<v1::UsageInconsistency>* why = nullptr);
UsageCounts CountUsage(const xai::v1::ImagesUsage& usage,
                       std::vector<v1::UsageInconsistency>* why = nullptr);
UsageCounts CountUsage(const xai::v1::ResponsesUsage& usage,
                       std::vector<v1::UsageInconsistency>* why = nullptr);
UsageCounts CountUsage(const xai::v1::SamplingUsage& usage,
                       std::vector<v1::UsageInconsistency>* why = nullptr);

}  // namespace tokenusage

#endif  // TOKENUSAGE_USAGE_XAI_H_
