// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/usage/xai.h"

#include <algorithm>

#include "absl/numeric/int128.h"
#include "tokenusage/usage/token_parts.h"

namespace tokenusage {
namespace {

using usage_internal::Counter;
using usage_internal::IsSum;
using usage_internal::MakeStated;
using usage_internal::Stated;
using usage_internal::TokenParts;

// A tick is 1e-10 US dollars.
constexpr int kPicosPerTick = 100;

template <typename Usage>
void SetCost(const Usage& usage, Counter* counter) {
  Stated cost = STATED("", usage, cost_in_usd_ticks);
  if (!cost.is_set) return;
  cost.amount = Amount::FromPicos(absl::int128(usage.cost_in_usd_ticks()) *
                                  kPicosPerTick);
  counter->Set(v1::USAGE_MEASURE_COST_USD, cost);
}

// Returns all output tokens. The completion leaves out reasoning, unless the
// total shows that it does not.
Stated OutputOf(const TokenParts& parts, const Stated& completion) {
  if (IsSum(parts.total, {parts.input, completion})) return completion;
  return Counter::Sum("all output tokens", {completion, parts.reasoning});
}

// Sets the tool calls, each of which has an element.
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

// Text tokens include cached ones.
UsageCounts CountUsage(const xai::v1::ChatUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  TokenParts parts;
  parts.total = STATED("", usage, total_tokens);
  parts.input = STATED("", usage, prompt_tokens);
  const auto& in = usage.prompt_tokens_details();
  parts.input_text = STATED("prompt_tokens_details.", in, text_tokens);
  parts.input_audio = STATED("prompt_tokens_details.", in, audio_tokens);
  parts.input_image = STATED("prompt_tokens_details.", in, image_tokens);
  parts.cache_read = STATED("prompt_tokens_details.", in, cached_tokens);

  const auto& out = usage.completion_tokens_details();
  parts.reasoning = STATED("completion_tokens_details.", out, reasoning_tokens);
  parts.output_audio = STATED("completion_tokens_details.", out, audio_tokens);
  parts.accepted_prediction =
      STATED("completion_tokens_details.", out, accepted_prediction_tokens);
  parts.rejected_prediction =
      STATED("completion_tokens_details.", out, rejected_prediction_tokens);
  parts.output = OutputOf(parts, STATED("", usage, completion_tokens));
  counter.CheckSum(parts.total, {parts.input, parts.output});
  CountTokens(parts, &counter);
  SetCost(usage, &counter);
  return counts;
}

// The wholes are inclusive, reasoning too, unlike in xAI's chat.
UsageCounts CountUsage(const xai::v1::ResponsesUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  TokenParts parts;
  parts.total = STATED("", usage, total_tokens);
  parts.input = STATED("", usage, input_tokens);
  parts.output = STATED("", usage, output_tokens);
  parts.cache_read = STATED("input_tokens_details.",
                            usage.input_tokens_details(), cached_tokens);
  parts.reasoning = STATED("output_tokens_details.",
                           usage.output_tokens_details(), reasoning_tokens);
  counter.CheckSum(parts.total, {parts.input, parts.output});
  CountTokens(parts, &counter);
  counter.Set(v1::USAGE_MEASURE_WEB_SEARCH_REQUESTS,
              STATED("server_side_tool_usage_details.",
                     usage.server_side_tool_usage_details(), web_search_calls));
  counter.Set(v1::USAGE_MEASURE_TOOL_CALLS,
              STATED("", usage, num_server_side_tools_used));
  SetCost(usage, &counter);
  return counts;
}

UsageCounts CountUsage(const xai::v1::ImagesUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  SetCost(usage, &counter);
  return counts;
}

// Text tokens leave out cached ones. If the prompt is another sum, the usage
// contradicts xAI's documentation, and is counted as it is stated.
UsageCounts CountUsage(const xai::v1::SamplingUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  TokenParts parts;
  parts.total = STATED("", usage, total_tokens);
  parts.input = STATED("", usage, prompt_tokens);
  parts.input_image = STATED("", usage, prompt_image_tokens);
  parts.cache_read_text = STATED("", usage, cached_prompt_text_tokens);
  parts.cache_read = parts.cache_read_text;
  parts.input_text = STATED("", usage, prompt_text_tokens);
  const Stated text = Counter::Sum("all text tokens",
                                   {parts.input_text, parts.cache_read_text});
  const Stated sum =
      Counter::Sum("the sum of its parts", {text, parts.input_image});
  counter.CheckSum(parts.input, {sum});
  if (!parts.input.is_set || parts.input.amount == sum.amount) {
    parts.input_text = text;
  }
  parts.reasoning = STATED("", usage, reasoning_tokens);
  parts.output = OutputOf(parts, STATED("", usage, completion_tokens));
  counter.CheckSum(parts.total, {parts.input, parts.output});
  CountTokens(parts, &counter);
  CountTools(usage, &counter);
  SetCost(usage, &counter);
  return counts;
}

}  // namespace tokenusage
