// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/usage/mistral.h"

#include "tokenusage/usage/token_parts.h"

namespace tokenusage {

using usage_internal::Counter;
using usage_internal::IsSum;
using usage_internal::Stated;
using usage_internal::TokenParts;

// The wholes are inclusive, as OpenAI's are. Parts of the prompt may be stated
// under several names.
UsageCounts CountUsage(const mistral::v1::ChatUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  TokenParts parts;
  parts.total = STATED("", usage, total_tokens);
  parts.input = STATED("", usage, prompt_tokens);
  parts.output = STATED("", usage, completion_tokens);
  const auto& in = usage.prompt_tokens_details();
  const auto& in_again = usage.prompt_token_details();
  parts.cache_read =
      counter.OneOf(STATED("prompt_tokens_details.", in, cached_tokens),
                    STATED("prompt_token_details.", in_again, cached_tokens),
                    STATED("", usage, num_cached_tokens));
  parts.input_audio =
      counter.OneOf(STATED("prompt_tokens_details.", in, audio_tokens),
                    STATED("prompt_token_details.", in_again, audio_tokens));
  parts.reasoning = STATED("completion_tokens_details.",
                           usage.completion_tokens_details(), reasoning_tokens);
  counter.CheckSum(parts.total, {parts.input, parts.output});
  CountTokens(parts, &counter);
  counter.Set(v1::USAGE_MEASURE_INPUT_AUDIO_SECONDS,
              STATED("", usage, prompt_audio_seconds));
  return counts;
}

// Nothing says whether the total includes the tokens of connectors, so it may.
UsageCounts CountUsage(const mistral::v1::ConversationsUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  const Stated connectors = STATED("", usage, connector_tokens);
  TokenParts parts;
  parts.total = STATED("", usage, total_tokens);
  parts.input = STATED("", usage, prompt_tokens);
  parts.output = STATED("", usage, completion_tokens);
  if (!IsSum(parts.total, {parts.input, parts.output, connectors})) {
    counter.CheckSum(parts.total, {parts.input, parts.output});
  }
  CountTokens(parts, &counter);
  return counts;
}

UsageCounts CountUsage(const mistral::v1::OcrUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter(&counts, why)
      .Set(v1::USAGE_MEASURE_PAGES, STATED("", usage, pages_processed));
  return counts;
}

}  // namespace tokenusage
