// SPDX-License-Identifier: Apache-2.0

// Counts the usage that OpenRouter's endpoints state.
//
//   UsageCounts counts = CountUsage(usage);
//
// The counts of a usage must be from 0 to kMaxCount (others are left out): see
// UsageRules in usage_rules.h. If `why` is not null, a description of
// each contradiction is appended to it. Thread-safe.

#ifndef TOKENUSAGE_USAGE_OPENROUTER_H_
#define TOKENUSAGE_USAGE_OPENROUTER_H_

#include <vector>

#include "tokenusage/openrouter/v1/chat.pb.h"
#include "tokenusage/openrouter/v1/embeddings.pb.h"
#include "tokenusage/openrouter/v1/images.pb.h"
#include "tokenusage/openrouter/v1/messages.pb.h"
#include "tokenusage/openrouter/v1/rerank.pb.h"
#include "tokenusage/openrouter/v1/responses.pb.h"
#include "tokenusage/openrouter/v1/transcription.pb.h"
#include "tokenusage/openrouter/v1/video.pb.h"
#include "tokenusage/usage/message_pass.h"
#include "tokenusage/usage/usage_counts.h"

namespace tokenusage {

// The cost is `cost`: the amount that OpenRouter charges. If the account uses
// its own key, the provider's charge is not counted.
UsageCounts CountUsage(const openrouter::v1::ChatUsage& usage,
                       std::vector<v1::UsageInconsistency>* why = nullptr);
UsageCounts CountUsage(const openrouter::v1::ResponsesUsage& usage,
                       std::vector<v1::UsageInconsistency>* why = nullptr);
UsageCounts CountUsage(const openrouter::v1::MessagesUsage& usage,
                       std::vector<v1::UsageInconsistency>* why = nullptr);
UsageCounts CountUsage(const openrouter::v1::ImagesUsage& usage,
                       std::vector<v1::UsageInconsistency>* why = nullptr);
UsageCounts CountUsage(const openrouter::v1::EmbeddingsUsage& usage,
                       std::vector<v1::UsageInconsistency>* why = nullptr);
UsageCounts CountUsage(const openrouter::v1::RerankUsage& usage,
                       std::vector<v1::UsageInconsistency>* why = nullptr);
UsageCounts CountUsage(const openrouter::v1::TranscriptionUsage& usage,
                       std::vector<v1::UsageInconsistency>* why = nullptr);
UsageCounts CountUsage(const openrouter::v1::VideoUsage& usage,
                       std::vector<v1::UsageInconsistency>* why = nullptr);

// Returns the iterations that the message's own counts do not include, like the
// function in anthropic.h. The message's cost covers them.
std::vector<MessagePass<openrouter::v1::MessagesUsage>> FindOtherPasses(
    const openrouter::v1::MessagesUsage& usage);

}  // namespace tokenusage

#endif  // TOKENUSAGE_USAGE_OPENROUTER_H_
