// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/usage/sglang.h"

#include "tokenusage/usage/openai_parts.h"

namespace tokenusage::usage_internal {

// Follows OpenAI's rules: the wholes are inclusive. Leaves out the prediction
// tokens: they are the server's own drafts, which no measure counts.
void Count(const sglang::v1::ChatUsage& usage, Counter* counter) {
  TokenParts parts = OpenAiParts(usage, counter);
  parts.reasoning = STATED("", usage, reasoning_tokens);
  parts.accepted_prediction = Stated();
  parts.rejected_prediction = Stated();
  CountTokens(parts, counter);
}

}  // namespace tokenusage::usage_internal
