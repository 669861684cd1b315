// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/usage/groq.h"

#include "tokenusage/usage/token_parts.h"

namespace tokenusage {

using usage_internal::Counter;
using usage_internal::TokenParts;

// The wholes are inclusive, as OpenAI's are. The times are not counts.
UsageCounts CountUsage(const groq::v1::ChatUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  TokenParts parts;
  parts.total = STATED("", usage, total_tokens);
  parts.input = STATED("", usage, prompt_tokens);
  parts.output = STATED("", usage, completion_tokens);
  parts.cache_read = STATED("prompt_tokens_details.",
                            usage.prompt_tokens_details(), cached_tokens);
  parts.reasoning = STATED("completion_tokens_details.",
                           usage.completion_tokens_details(), reasoning_tokens);
  counter.CheckSum(parts.total, {parts.input, parts.output});
  CountTokens(parts, &counter);
  return counts;
}

}  // namespace tokenusage
