// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/usage/xai.h"

#include <algorithm>

#include "absl/numeric/int128.h"
#include "tokenusage/usage/openai_parts.h"

namespace tokenusage::usage_internal {
namespace {

// A tick is 1e-10 US dollars.
constexpr int kPicosPerTick = 100;

template <typename Usage>
void SetCost(const Usage& usage, Counter* counter) {
  Stated cost = STATED("", usage, cost_in_usd_ticks);
  if (cost.is_set) {
    cost.amount = Amount::FromPicos(absl::int128(usage.cost_in_usd_ticks()) *
                                    kPicosPerTick);
  }
  counter->Set(v1::USAGE_MEASURE_COST_USD, cost);
}

// Counts the tokens. The completion leaves out reasoning, unless the total
// shows that it does not.
void CountWithReasoning(TokenParts parts, Counter* counter) {
  if (!IsSum(parts.total, {parts.input, parts.output})) {
    parts.output =
        Counter::Sum("all output tokens", {parts.output, parts.reasoning});
  }
  CountTokens(parts, counter);
}

// Sets the tool calls, each of which has an element in the list.
void CountTools(const xai::v1::SamplingUsage& usage, Counter* counter) {
  static constexpr char kField[] = "server_side_tools_used";
  const auto& tools = usage.server_side_tools_used();
  const std::int64_t searches =
      std::count(tools.begin(), tools.end(), "SERVER_SIDE_TOOL_WEB_SEARCH");
  counter->Set(v1::USAGE_MEASURE_WEB_SEARCH_REQUESTS,
               MakeStated(searches > 0, searches, kField));
  counter->Set(v1::USAGE_MEASURE_TOOL_CALLS,
               MakeStated(!tools.empty(), std::int64_t{tools.size()}, kField));
}

}  // namespace

// Counts text tokens as stated: they include cached ones.
void Count(const xai::v1::ChatUsage& usage, Counter* counter) {
  CountWithReasoning(OpenAiParts(usage, counter), counter);
  SetCost(usage, counter);
}

// Counts the wholes as inclusive, of reasoning too, unlike in xAI's chat.
void Count(const xai::v1::ResponsesUsage& usage, Counter* counter) {
  CountTokens(OpenAiParts(usage, counter), counter);
  counter->Set(
      v1::USAGE_MEASURE_WEB_SEARCH_REQUESTS,
      STATED("server_side_tool_usage_details.",
             usage.server_side_tool_usage_details(), web_search_calls));
  counter->Set(v1::USAGE_MEASURE_TOOL_CALLS,
               STATED("", usage, num_server_side_tools_used));
  SetCost(usage, counter);
}

void Count(const xai::v1::ImagesUsage& usage, Counter* counter) {
  SetCost(usage, counter);
}

// Adds cached tokens to the text tokens, which leave them out. If the prompt is
// another sum, the usage contradicts xAI's documentation, and is counted as it
// is stated.
void Count(const xai::v1::SamplingUsage& usage, Counter* counter) {
  TokenParts parts = OpenAiParts(usage, counter);
  parts.input_image = STATED("", usage, prompt_image_tokens);
  parts.cache_read_text = STATED("", usage, cached_prompt_text_tokens);
  parts.cache_read = parts.cache_read_text;
  parts.input_text = STATED("", usage, prompt_text_tokens);
  const Stated text = Counter::Sum("all text tokens",
                                   {parts.input_text, parts.cache_read_text});
  const Stated sum =
      Counter::Sum("the sum of its parts", {text, parts.input_image});
  counter->CheckSum(parts.input, {sum});
  if (!parts.input.is_set || parts.input.amount == sum.amount) {
    parts.input_text = text;
  }
  parts.reasoning = STATED("", usage, reasoning_tokens);
  CountWithReasoning(parts, counter);
  CountTools(usage, counter);
  SetCost(usage, counter);
}

}  // namespace tokenusage::usage_internal
