// SPDX-License-Identifier: Apache-2.0

// Counts the usage that Orq's endpoints state.
//
//   UsageCounts counts = CountUsage(usage);
//
// The counts of a usage must be from 0 to kMaxCount (others are left out): see
// UsageRules in usage_rules.h. If `why` is not null, a description of
// each contradiction is appended to it. Thread-safe.

#ifndef TOKENUSAGE_USAGE_ORQ_H_
#define TOKENUSAGE_USAGE_ORQ_H_

#include <vector>

#include "tokenusage/orq/v2/chat.pb.h"
#include "tokenusage/orq/v2/embeddings.pb.h"
#include "tokenusage/orq/v2/images.pb.h"
#include "tokenusage/orq/v2/ocr.pb.h"
#include "tokenusage/orq/v2/rerank.pb.h"
#include "tokenusage/orq/v2/responses.pb.h"
#include "tokenusage/usage/usage_counts.h"

namespace tokenusage {

UsageCounts CountUsage(const orq::v2::PostV2ProxyImagesEditsUsage& usage,
                       std::vector<v1::UsageInconsistency>* why = nullptr);
UsageCounts CountUsage(const orq::v2::PostV2ProxyImagesVariationsUsage& usage,
                       std::vector<v1::UsageInconsistency>* why = nullptr);

// input_tokens is the sum of its details if they are both set and it is not.
UsageCounts CountUsage(const orq::v2::PostV2ProxyImagesGenerationsUsage& usage,
                       std::vector<v1::UsageInconsistency>* why = nullptr);

UsageCounts CountUsage(const orq::v2::ChatUsage& usage,
                       std::vector<v1::UsageInconsistency>* why = nullptr);
UsageCounts CountUsage(const orq::v2::EmbeddingsUsage& usage,
                       std::vector<v1::UsageInconsistency>* why = nullptr);
UsageCounts CountUsage(const orq::v2::RerankUsage& usage,
                       std::vector<v1::UsageInconsistency>* why = nullptr);
UsageCounts CountUsage(const orq::v2::OcrUsage& usage,
                       std::vector<v1::UsageInconsistency>* why = nullptr);
UsageCounts CountUsage(const orq::v2::ResponsesUsage& usage,
                       std::vector<v1::UsageInconsistency>* why = nullptr);

}  // namespace tokenusage

#endif  // TOKENUSAGE_USAGE_ORQ_H_
