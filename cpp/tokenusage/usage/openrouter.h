// SPDX-License-Identifier: Apache-2.0

// Counts the usage that OpenRouter's endpoints state: see count_usage.h.

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
#include "tokenusage/usage/count_usage.h"
#include "tokenusage/usage/message_pass.h"

namespace tokenusage::usage_internal {

// All count `cost`, the amount that OpenRouter charges, as the cost. If the
// account uses its own key, the provider's charge is not counted.
void Count(const openrouter::v1::ChatUsage& usage, Counter* counter);
void Count(const openrouter::v1::ResponsesUsage& usage, Counter* counter);
void Count(const openrouter::v1::MessagesUsage& usage, Counter* counter);
void Count(const openrouter::v1::ImagesUsage& usage, Counter* counter);
void Count(const openrouter::v1::EmbeddingsUsage& usage, Counter* counter);
void Count(const openrouter::v1::RerankUsage& usage, Counter* counter);
void Count(const openrouter::v1::TranscriptionUsage& usage, Counter* counter);
void Count(const openrouter::v1::VideoUsage& usage, Counter* counter);

}  // namespace tokenusage::usage_internal

namespace tokenusage {

// Returns the iterations that the message's own counts do not include, like the
// function in anthropic.h. The message's cost covers them.
std::vector<MessagePass<openrouter::v1::MessagesUsage>> FindOtherPasses(
    const openrouter::v1::MessagesUsage& usage);

}  // namespace tokenusage

#endif  // TOKENUSAGE_USAGE_OPENROUTER_H_
