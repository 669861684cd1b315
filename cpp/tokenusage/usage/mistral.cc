// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/usage/mistral.h"

#include "tokenusage/usage/openai_parts.h"

namespace tokenusage::usage_internal {

// Follows OpenAI's rules: the wholes are inclusive. Parts of the prompt may be
// stated under several names.
void Count(const mistral::v1::ChatUsage& usage, Counter* counter) {
  TokenParts parts = OpenAiParts(usage, counter);
  const auto& again = usage.prompt_token_details();
  parts.cache_read = counter->OneOf(
      parts.cache_read, STATED("prompt_token_details.", again, cached_tokens),
      STATED("", usage, num_cached_tokens));
  parts.input_audio = counter->OneOf(
      parts.input_audio, STATED("prompt_token_details.", again, audio_tokens));
  CountTokens(parts, counter);
  counter->Set(v1::USAGE_MEASURE_INPUT_AUDIO_SECONDS,
               STATED("", usage, prompt_audio_seconds));
}

// Accepts a total with or without the tokens of connectors, since Mistral does
// not say whether it includes them.
void Count(const mistral::v1::ConversationsUsage& usage, Counter* counter) {
  const TokenParts parts = OpenAiParts(usage, counter);
  const Stated connectors = STATED("", usage, connector_tokens);
  if (!IsSum(parts.total, {parts.input, parts.output, connectors})) {
    counter->CheckSum(parts.total, {parts.input, parts.output});
  }
  SetTokens(parts, counter);
  CheckTokens(parts, counter);
}

void Count(const mistral::v1::OcrUsage& usage, Counter* counter) {
  counter->Set(v1::USAGE_MEASURE_PAGES, STATED("", usage, pages_processed));
}

}  // namespace tokenusage::usage_internal
