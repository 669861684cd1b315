// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/usage/openrouter.h"

#include "tokenusage/usage/messages_shape.h"
#include "tokenusage/usage/token_parts.h"

namespace tokenusage {

using usage_internal::Counter;
using usage_internal::TokenParts;

// All costs are in credits, which are US dollars.

// Follows OpenAI's rules. Tool calls are stated under either of two names.
UsageCounts CountUsage(const openrouter::v1::ChatUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  TokenParts parts = PromptCompletion(usage, &counter);
  const auto& in = usage.prompt_tokens_details();
  parts.cache_read = STATED("prompt_tokens_details.", in, cached_tokens);
  parts.cache_write = STATED("prompt_tokens_details.", in, cache_write_tokens);
  parts.input_audio = STATED("prompt_tokens_details.", in, audio_tokens);
  parts.input_video = STATED("prompt_tokens_details.", in, video_tokens);
  const auto& out = usage.completion_tokens_details();
  parts.reasoning = STATED("completion_tokens_details.", out, reasoning_tokens);
  parts.accepted_prediction =
      STATED("completion_tokens_details.", out, accepted_prediction_tokens);
  parts.rejected_prediction =
      STATED("completion_tokens_details.", out, rejected_prediction_tokens);
  parts.output_audio = STATED("completion_tokens_details.", out, audio_tokens);
  parts.output_image = STATED("completion_tokens_details.", out, image_tokens);
  CountTokens(parts, &counter);

  const auto& tools = usage.server_tool_use_details();
  const auto& same = usage.server_tool_use();
  counter.Set(
      v1::USAGE_MEASURE_TOOL_CALLS,
      counter.OneOf(
          STATED("server_tool_use_details.", tools, tool_calls_executed),
          STATED("server_tool_use.", same, tool_calls_executed)));
  counter.Set(
      v1::USAGE_MEASURE_WEB_SEARCH_REQUESTS,
      counter.OneOf(
          STATED("server_tool_use_details.", tools, web_search_requests),
          STATED("server_tool_use.", same, web_search_requests)));
  counter.Set(v1::USAGE_MEASURE_COST_USD, STATED("", usage, cost));
  return counts;
}

// Follows OpenAI's rules.
UsageCounts CountUsage(const openrouter::v1::ResponsesUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  TokenParts parts = InputOutput(usage, &counter);
  const auto& in = usage.input_tokens_details();
  parts.cache_read = STATED("input_tokens_details.", in, cached_tokens);
  parts.cache_write = STATED("input_tokens_details.", in, cache_write_tokens);
  parts.reasoning = STATED("output_tokens_details.",
                           usage.output_tokens_details(), reasoning_tokens);
  CountTokens(parts, &counter);

  const auto& tools = usage.server_tool_use_details();
  counter.Set(v1::USAGE_MEASURE_TOOL_CALLS,
              STATED("server_tool_use_details.", tools, tool_calls_executed));
  counter.Set(v1::USAGE_MEASURE_WEB_SEARCH_REQUESTS,
              STATED("server_tool_use_details.", tools, web_search_requests));
  counter.Set(v1::USAGE_MEASURE_COST_USD, STATED("", usage, cost));
  return counts;
}

UsageCounts CountUsage(const openrouter::v1::MessagesUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  usage_internal::CountMessage(&counter, usage);
  counter.Set(v1::USAGE_MEASURE_COST_USD, STATED("", usage, cost));
  return counts;
}

std::vector<MessagePass<openrouter::v1::MessagesUsage>> FindOtherPasses(
    const openrouter::v1::MessagesUsage& usage) {
  return usage_internal::PassesOutside(usage);
}

UsageCounts CountUsage(const openrouter::v1::ImagesUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  TokenParts parts = PromptCompletion(usage, &counter);
  const auto& in = usage.prompt_tokens_details();
  parts.cache_read = STATED("prompt_tokens_details.", in, cached_tokens);
  parts.cache_write = STATED("prompt_tokens_details.", in, cache_write_tokens);
  parts.input_audio = STATED("prompt_tokens_details.", in, audio_tokens);
  parts.input_video = STATED("prompt_tokens_details.", in, video_tokens);
  parts.input_document = STATED("prompt_tokens_details.", in, file_tokens);
  const auto& writes = usage.cache_creation();
  parts.cache_write_5m =
      STATED("cache_creation.", writes, ephemeral_5m_input_tokens);
  parts.cache_write_1h =
      STATED("cache_creation.", writes, ephemeral_1h_input_tokens);
  const auto& out = usage.completion_tokens_details();
  parts.reasoning = STATED("completion_tokens_details.", out, reasoning_tokens);
  parts.output_audio = STATED("completion_tokens_details.", out, audio_tokens);
  parts.output_image = STATED("completion_tokens_details.", out, image_tokens);
  CountTokens(parts, &counter);

  const auto& tools = usage.server_tool_use();
  counter.Set(v1::USAGE_MEASURE_TOOL_CALLS,
              STATED("server_tool_use.", tools, tool_calls_executed));
  counter.Set(v1::USAGE_MEASURE_WEB_SEARCH_REQUESTS,
              STATED("server_tool_use.", tools, web_search_requests));
  counter.Set(v1::USAGE_MEASURE_COST_USD, STATED("", usage, cost));
  return counts;
}

UsageCounts CountUsage(const openrouter::v1::EmbeddingsUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  TokenParts parts = Embeddings(usage, &counter);
  const auto& in = usage.prompt_tokens_details();
  parts.input_text = STATED("prompt_tokens_details.", in, text_tokens);
  parts.input_image = STATED("prompt_tokens_details.", in, image_tokens);
  parts.input_audio = STATED("prompt_tokens_details.", in, audio_tokens);
  parts.input_video = STATED("prompt_tokens_details.", in, video_tokens);
  parts.input_document = STATED("prompt_tokens_details.", in, file_tokens);
  CountTokens(parts, &counter);
  counter.Set(v1::USAGE_MEASURE_COST_USD, STATED("", usage, cost));
  return counts;
}

UsageCounts CountUsage(const openrouter::v1::RerankUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  counter.Set(v1::USAGE_MEASURE_SEARCH_UNITS, STATED("", usage, search_units));
  counter.Set(v1::USAGE_MEASURE_TOTAL_TOKENS, STATED("", usage, total_tokens));
  counter.Set(v1::USAGE_MEASURE_COST_USD, STATED("", usage, cost));
  return counts;
}

UsageCounts CountUsage(const openrouter::v1::TranscriptionUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  CountTokens(InputOutput(usage, &counter), &counter);
  counter.Set(v1::USAGE_MEASURE_INPUT_AUDIO_SECONDS,
              STATED("", usage, seconds));
  counter.Set(v1::USAGE_MEASURE_COST_USD, STATED("", usage, cost));
  return counts;
}

UsageCounts CountUsage(const openrouter::v1::VideoUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  counter.Set(v1::USAGE_MEASURE_COST_USD, STATED("", usage, cost));
  return counts;
}

}  // namespace tokenusage
