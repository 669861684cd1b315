// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/usage/ollama.h"

#include "tokenusage/usage/token_parts.h"

namespace tokenusage::usage_internal {

// Takes a count that is missing as not stated, though it may have been zero.
// Ollama states no total.
void Count(const ollama::v1::ChatUsage& usage, Counter* counter) {
  TokenParts parts;
  parts.input = STATED("", usage, prompt_eval_count);
  parts.cache_read = STATED("", usage, prompt_eval_cached_count);
  parts.output = STATED("", usage, eval_count);
  CountTokens(parts, counter);
}

// Counts the input as the total, too, since an embedding has no output.
void Count(const ollama::v1::EmbedUsage& usage, Counter* counter) {
  TokenParts parts;
  parts.input = STATED("", usage, prompt_eval_count);
  parts.total = parts.input;
  CountTokens(parts, counter);
}

}  // namespace tokenusage::usage_internal
