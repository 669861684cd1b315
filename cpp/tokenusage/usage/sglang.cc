// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/usage/sglang.h"

#include "tokenusage/usage/token_parts.h"

namespace tokenusage {

using usage_internal::Counter;
using usage_internal::TokenParts;

// The wholes are inclusive, as OpenAI's are. The prediction tokens are the
// server's own drafts, which no measure counts.
UsageCounts CountUsage(const sglang::v1::ChatUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  TokenParts parts;
  parts.total = STATED("", usage, total_tokens);
  parts.input = STATED("", usage, prompt_tokens);
  parts.output = STATED("", usage, completion_tokens);
  const auto& in = usage.prompt_tokens_details();
  parts.cache_read = STATED("prompt_tokens_details.", in, cached_tokens);
  parts.input_image = STATED("prompt_tokens_details.", in, image_tokens);
  parts.input_audio = STATED("prompt_tokens_details.", in, audio_tokens);
  parts.input_video = STATED("prompt_tokens_details.", in, video_tokens);
  parts.reasoning = STATED("", usage, reasoning_tokens);
  counter.CheckSum(parts.total, {parts.input, parts.output});
  CountTokens(parts, &counter);
  return counts;
}

}  // namespace tokenusage
