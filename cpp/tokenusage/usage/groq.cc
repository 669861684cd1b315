// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/usage/groq.h"

#include "tokenusage/usage/openai_parts.h"

namespace tokenusage::usage_internal {

// Follows OpenAI's rules: the wholes are inclusive. The times are not counts.
void Count(const groq::v1::ChatUsage& usage, Counter* counter) {
  CountTokens(OpenAiParts(usage, counter), counter);
}

}  // namespace tokenusage::usage_internal
