// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/usage/perplexity.h"

#include "tokenusage/usage/token_parts.h"

namespace tokenusage {

using usage_internal::Counter;
using usage_internal::Stated;
using usage_internal::TokenParts;

// Prompt and completion exclude citations and reasoning: recorded costs bill
// them in addition, and there is far more reasoning than completion. The total
// leaves both out, so it is less than the sum of input and output.
UsageCounts CountUsage(const perplexity::v1::ChatUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  const Stated prompt = STATED("", usage, prompt_tokens);
  const Stated completion = STATED("", usage, completion_tokens);
  TokenParts parts;
  parts.total = STATED("", usage, total_tokens);
  parts.tool_result = STATED("", usage, citation_tokens);
  parts.input = Counter::Sum("all input tokens", {prompt, parts.tool_result});
  parts.reasoning = STATED("", usage, reasoning_tokens);
  parts.output =
      Counter::Sum("all output tokens", {completion, parts.reasoning});
  counter.CheckSum(parts.total, {prompt, completion});
  CountTokens(parts, &counter);
  counter.Set(v1::USAGE_MEASURE_WEB_SEARCH_REQUESTS,
              STATED("", usage, num_search_queries));
  counter.Set(v1::USAGE_MEASURE_COST_USD,
              STATED("cost.", usage.cost(), total_cost));
  return counts;
}

}  // namespace tokenusage
