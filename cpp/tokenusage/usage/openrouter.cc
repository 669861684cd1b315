// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/usage/openrouter.h"

#include "tokenusage/usage/messages_shape.h"
#include "tokenusage/usage/openai_parts.h"

namespace tokenusage::usage_internal {

// All costs are in credits, which are US dollars.

// Counts tool calls, which are stated under either of two names.
void Count(const openrouter::v1::ChatUsage& usage, Counter* counter) {
  CountTokens(OpenAiParts(usage, counter), counter);
  const auto& tools = usage.server_tool_use_details();
  const auto& same = usage.server_tool_use();
  counter->Set(
      v1::USAGE_MEASURE_TOOL_CALLS,
      counter->OneOf(
          STATED("server_tool_use_details.", tools, tool_calls_executed),
          STATED("server_tool_use.", same, tool_calls_executed)));
  counter->Set(
      v1::USAGE_MEASURE_WEB_SEARCH_REQUESTS,
      counter->OneOf(
          STATED("server_tool_use_details.", tools, web_search_requests),
          STATED("server_tool_use.", same, web_search_requests)));
  counter->Set(v1::USAGE_MEASURE_COST_USD, STATED("", usage, cost));
}

void Count(const openrouter::v1::ResponsesUsage& usage, Counter* counter) {
  CountTokens(OpenAiParts(usage, counter), counter);
  const auto& tools = usage.server_tool_use_details();
  counter->Set(v1::USAGE_MEASURE_TOOL_CALLS,
               STATED("server_tool_use_details.", tools, tool_calls_executed));
  counter->Set(v1::USAGE_MEASURE_WEB_SEARCH_REQUESTS,
               STATED("server_tool_use_details.", tools, web_search_requests));
  counter->Set(v1::USAGE_MEASURE_COST_USD, STATED("", usage, cost));
}

void Count(const openrouter::v1::MessagesUsage& usage, Counter* counter) {
  CountMessage(usage, counter);
  counter->Set(v1::USAGE_MEASURE_COST_USD, STATED("", usage, cost));
}

void Count(const openrouter::v1::ImagesUsage& usage, Counter* counter) {
  TokenParts parts = OpenAiParts(usage, counter);
  const auto& writes = usage.cache_creation();
  parts.cache_write_5m =
      STATED("cache_creation.", writes, ephemeral_5m_input_tokens);
  parts.cache_write_1h =
      STATED("cache_creation.", writes, ephemeral_1h_input_tokens);
  CountTokens(parts, counter);

  const auto& tools = usage.server_tool_use();
  counter->Set(v1::USAGE_MEASURE_TOOL_CALLS,
               STATED("server_tool_use.", tools, tool_calls_executed));
  counter->Set(v1::USAGE_MEASURE_WEB_SEARCH_REQUESTS,
               STATED("server_tool_use.", tools, web_search_requests));
  counter->Set(v1::USAGE_MEASURE_COST_USD, STATED("", usage, cost));
}

void Count(const openrouter::v1::EmbeddingsUsage& usage, Counter* counter) {
  CountEmbeddings(usage, counter);
  counter->Set(v1::USAGE_MEASURE_COST_USD, STATED("", usage, cost));
}

void Count(const openrouter::v1::RerankUsage& usage, Counter* counter) {
  counter->Set(v1::USAGE_MEASURE_SEARCH_UNITS, STATED("", usage, search_units));
  counter->Set(v1::USAGE_MEASURE_TOTAL_TOKENS, STATED("", usage, total_tokens));
  counter->Set(v1::USAGE_MEASURE_COST_USD, STATED("", usage, cost));
}

void Count(const openrouter::v1::TranscriptionUsage& usage, Counter* counter) {
  CountTokens(OpenAiParts(usage, counter), counter);
  counter->Set(v1::USAGE_MEASURE_INPUT_AUDIO_SECONDS,
               STATED("", usage, seconds));
  counter->Set(v1::USAGE_MEASURE_COST_USD, STATED("", usage, cost));
}

void Count(const openrouter::v1::VideoUsage& usage, Counter* counter) {
  counter->Set(v1::USAGE_MEASURE_COST_USD, STATED("", usage, cost));
}

}  // namespace tokenusage::usage_internal

namespace tokenusage {

std::vector<MessagePass<openrouter::v1::MessagesUsage>> FindOtherPasses(
    const openrouter::v1::MessagesUsage& usage) {
  return usage_internal::PassesOutside(usage);
}

}  // namespace tokenusage
