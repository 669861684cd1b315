// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/usage/deepseek.h"

#include "tokenusage/usage/openai_parts.h"

namespace tokenusage::usage_internal {

// Follows OpenAI's rules: the wholes are inclusive. Cache hits are stated
// twice; a miss is ordinary input, not a cache write.
void Count(const deepseek::v1::ChatUsage& usage, Counter* counter) {
  TokenParts parts = OpenAiParts(usage, counter);
  const Stated hits = STATED("", usage, prompt_cache_hit_tokens);
  parts.cache_read = counter->OneOf(hits, parts.cache_read);
  counter->CheckSum(parts.total, {parts.input, parts.output});
  counter->CheckSum(parts.input,
                    {hits, STATED("", usage, prompt_cache_miss_tokens)});
  SetTokens(parts, counter);
  CheckTokens(parts, counter);
}

}  // namespace tokenusage::usage_internal
