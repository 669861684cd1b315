// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/usage/ollama.h"

#include "tokenusage/usage/token_parts.h"

namespace tokenusage {

using usage_internal::Counter;
using usage_internal::TokenParts;

// Ollama states no total. A count that is missing may have been zero; it is
// taken as not stated.
UsageCounts CountUsage(const ollama::v1::ChatUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  TokenParts parts;
  parts.input = STATED("", usage, prompt_eval_count);
  parts.cache_read = STATED("", usage, prompt_eval_cached_count);
  parts.output = STATED("", usage, eval_count);
  CountTokens(parts, &counter);
  return counts;
}

// An embedding has no output: its input is its total.
UsageCounts CountUsage(const ollama::v1::EmbedUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  TokenParts parts;
  parts.input = STATED("", usage, prompt_eval_count);
  parts.total = parts.input;
  CountTokens(parts, &counter);
  return counts;
}

}  // namespace tokenusage
