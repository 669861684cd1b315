// SPDX-License-Identifier: Apache-2.0

// Counts the usage that OpenAI's endpoints state.
//
//   UsageCounts counts = CountUsage(usage);
//
// The counts of a usage must be from 0 to kMaxCount (others are left out): see
// UsageRules in usage_rules.h. If `why` is not null, a description of
// each contradiction is appended to it. Thread-safe.

#ifndef TOKENUSAGE_USAGE_OPENAI_H_
#define TOKENUSAGE_USAGE_OPENAI_H_

#include <vector>

#include "tokenusage/openai/v1/batch.pb.h"
#include "tokenusage/openai/v1/chat.pb.h"
#include "tokenusage/openai/v1/embeddings.pb.h"
#include "tokenusage/openai/v1/images.pb.h"
#include "tokenusage/openai/v1/realtime.pb.h"
#include "tokenusage/openai/v1/responses.pb.h"
#include "tokenusage/openai/v1/speech.pb.h"
#include "tokenusage/openai/v1/transcription.pb.h"
#include "tokenusage/usage/usage_counts.h"

namespace tokenusage {

UsageCounts CountUsage(const openai::v1::ChatUsage& usage,
                       std::vector<v1::UsageInconsistency>* why = nullptr);
UsageCounts CountUsage(const openai::v1::ResponsesUsage& usage,
                       std::vector<v1::UsageInconsistency>* why = nullptr);
UsageCounts CountUsage(const openai::v1::ResponsesToolUsage& usage,
                       std::vector<v1::UsageInconsistency>* why = nullptr);
UsageCounts CountUsage(const openai::v1::ImagesUsage& usage,
                       std::vector<v1::UsageInconsistency>* why = nullptr);
UsageCounts CountUsage(const openai::v1::EmbeddingsUsage& usage,
                       std::vector<v1::UsageInconsistency>* why = nullptr);
UsageCounts CountUsage(const openai::v1::TranscriptionUsage& usage,
                       std::vector<v1::UsageInconsistency>* why = nullptr);
UsageCounts CountUsage(const openai::v1::SpeechUsage& usage,
                       std::vector<v1::UsageInconsistency>* why = nullptr);
UsageCounts CountUsage(const openai::v1::RealtimeUsage& usage,
                       std::vector<v1::UsageInconsistency>* why = nullptr);
UsageCounts CountUsage(const openai::v1::BatchUsage& usage,
                       std::vector<v1::UsageInconsistency>* why = nullptr);

}  // namespace tokenusage

#endif  // TOKENUSAGE_USAGE_OPENAI_H_
