// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/usage/perplexity.h"

#include "tokenusage/usage/openai_parts.h"

namespace tokenusage::usage_internal {

// Adds citations and reasoning to prompt and completion, which leave them out:
// costs that were seen bill them in addition, and there is far more reasoning
// than completion. The total leaves both out, too, so it is less than the sum
// of input and output.
void Count(const perplexity::v1::ChatUsage& usage, Counter* counter) {
  TokenParts parts = OpenAiParts(usage, counter);
  counter->CheckSum(parts.total, {parts.input, parts.output});
  parts.tool_result = STATED("", usage, citation_tokens);
  parts.input =
      Counter::Sum("all input tokens", {parts.input, parts.tool_result});
  parts.reasoning = STATED("", usage, reasoning_tokens);
  parts.output =
      Counter::Sum("all output tokens", {parts.output, parts.reasoning});
  SetTokens(parts, counter);
  CheckTokens(parts, counter);
  counter->Set(v1::USAGE_MEASURE_WEB_SEARCH_REQUESTS,
               STATED("", usage, num_search_queries));
  counter->Set(v1::USAGE_MEASURE_COST_USD,
               STATED("cost.", usage.cost(), total_cost));
}

}  // namespace tokenusage::usage_internal
