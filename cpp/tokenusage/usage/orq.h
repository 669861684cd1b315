// SPDX-License-Identifier: Apache-2.0

// Counts the usage that Orq's endpoints state: see count_usage.h.

#ifndef TOKENUSAGE_USAGE_ORQ_H_
#define TOKENUSAGE_USAGE_ORQ_H_

#include "tokenusage/orq/v2/chat.pb.h"
#include "tokenusage/orq/v2/embeddings.pb.h"
#include "tokenusage/orq/v2/images.pb.h"
#include "tokenusage/orq/v2/ocr.pb.h"
#include "tokenusage/orq/v2/rerank.pb.h"
#include "tokenusage/orq/v2/responses.pb.h"
#include "tokenusage/usage/count_usage.h"

namespace tokenusage::usage_internal {

void Count(const orq::v2::PostV2ProxyImagesEditsUsage& usage, Counter* counter);
void Count(const orq::v2::PostV2ProxyImagesVariationsUsage& usage,
           Counter* counter);

// Counts the sum of the two details as the input if both are set and
// input_tokens is not.
void Count(const orq::v2::PostV2ProxyImagesGenerationsUsage& usage,
           Counter* counter);

void Count(const orq::v2::ChatUsage& usage, Counter* counter);
void Count(const orq::v2::EmbeddingsUsage& usage, Counter* counter);
void Count(const orq::v2::RerankUsage& usage, Counter* counter);
void Count(const orq::v2::OcrUsage& usage, Counter* counter);
void Count(const orq::v2::ResponsesUsage& usage, Counter* counter);

}  // namespace tokenusage::usage_internal

#endif  // TOKENUSAGE_USAGE_ORQ_H_
