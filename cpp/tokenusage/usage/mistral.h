// SPDX-License-Identifier: Apache-2.0

// Counts the usage that Mistral's endpoints state.
//
//   UsageCounts counts = CountUsage(usage);
//
// The counts of a usage must be from 0 to kMaxCount (others are left out): see
// UsageRules in usage_rules.h. If `why` is not null, a description of
// each contradiction is appended to it. Thread-safe.

#ifndef TOKENUSAGE_USAGE_MISTRAL_H_
#define TOKENUSAGE_USAGE_MISTRAL_H_

#include <vector>

#include "tokenusage/mistral/v1/chat.pb.h"
#include "tokenusage/mistral/v1/conversations.pb.h"
#include "tokenusage/mistral/v1/ocr.pb.h"
#include "tokenusage/usage/usage_counts.h"

namespace tokenusage {

UsageCounts CountUsage(const mistral::v1::ChatUsage& usage,
                       std::vector<v1::UsageInconsistency>* why = nullptr);
UsageCounts CountUsage(const mistral::v1::ConversationsUsage& usage,
                       std::vector<v1::UsageInconsistency>* why = nullptr);
UsageCounts CountUsage(const mistral::v1::OcrUsage& usage,
                       std::vector<v1::UsageInconsistency>* why = nullptr);

}  // namespace tokenusage

#endif  // TOKENUSAGE_USAGE_MISTRAL_H_
