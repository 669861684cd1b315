// SPDX-License-Identifier: Apache-2.0

// Counts the usage that OpenAI's endpoints state: see count_usage.h.

#ifndef TOKENUSAGE_USAGE_OPENAI_H_
#define TOKENUSAGE_USAGE_OPENAI_H_

#include "tokenusage/openai/v1/batch.pb.h"
#include "tokenusage/openai/v1/chat.pb.h"
#include "tokenusage/openai/v1/embeddings.pb.h"
#include "tokenusage/openai/v1/images.pb.h"
#include "tokenusage/openai/v1/realtime.pb.h"
#include "tokenusage/openai/v1/responses.pb.h"
#include "tokenusage/openai/v1/speech.pb.h"
#include "tokenusage/openai/v1/transcription.pb.h"
#include "tokenusage/usage/count_usage.h"

namespace tokenusage::usage_internal {

void Count(const openai::v1::ChatUsage& usage, Counter* counter);
void Count(const openai::v1::ResponsesUsage& usage, Counter* counter);
void Count(const openai::v1::ResponsesToolUsage& usage, Counter* counter);
void Count(const openai::v1::ImagesUsage& usage, Counter* counter);
void Count(const openai::v1::EmbeddingsUsage& usage, Counter* counter);
void Count(const openai::v1::TranscriptionUsage& usage, Counter* counter);
void Count(const openai::v1::SpeechUsage& usage, Counter* counter);
void Count(const openai::v1::RealtimeUsage& usage, Counter* counter);
void Count(const openai::v1::BatchUsage& usage, Counter* counter);

}  // namespace tokenusage::usage_internal

#endif  // TOKENUSAGE_USAGE_OPENAI_H_
