// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/usage/openrouter.h"

#include "tokenusage/usage/messages_shape.h"
#include "tokenusage/usage/stated.h"
#include "tokenusage/usage/wholes.h"

namespace tokenusage {
namespace {

using usage_internal::Counter;
using usage_internal::Stated;
using usage_internal::Wholes;

// The cost of any usage, in credits, which are US dollars.
template <typename Usage>
void CountCost(Counter* counter, const Usage& usage) {
  counter->Set(v1::USAGE_MEASURE_COST_USD, STATED("", usage, cost));
}

// The reads and writes of a prompt's cache, which exclude each other. Returns
// the writes.
template <typename Details>
Stated CountPromptCache(Counter* counter, const Details& in,
                        const Stated& input) {
  const Stated read =
      counter->Set(v1::USAGE_MEASURE_CACHE_READ_TOKENS,
                   STATED("prompt_tokens_details.", in, cached_tokens));
  const Stated write =
      counter->Set(v1::USAGE_MEASURE_CACHE_WRITE_TOKENS,
                   STATED("prompt_tokens_details.", in, cache_write_tokens));
  counter->CheckParts({read, write}, input);
  return write;
}

}  // namespace

// By OpenAI's rules. The calls of tools are stated under either of two names.
UsageCounts CountUsage(const openrouter::v1::ChatUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  const Wholes all = usage_internal::CountPromptCompletion(&counter, usage);
  const auto& in = usage.prompt_tokens_details();
  CountPromptCache(&counter, in, all.input);
  const Stated in_audio =
      counter.Set(v1::USAGE_MEASURE_INPUT_AUDIO_TOKENS,
                  STATED("prompt_tokens_details.", in, audio_tokens));
  const Stated in_video =
      counter.Set(v1::USAGE_MEASURE_INPUT_VIDEO_TOKENS,
                  STATED("prompt_tokens_details.", in, video_tokens));
  counter.CheckParts({in_audio, in_video}, all.input);

  const auto& out = usage.completion_tokens_details();
  const Stated reasoning =
      counter.Set(v1::USAGE_MEASURE_REASONING_TOKENS,
                  STATED("completion_tokens_details.", out, reasoning_tokens));
  const Stated accepted = counter.Set(
      v1::USAGE_MEASURE_ACCEPTED_PREDICTION_TOKENS,
      STATED("completion_tokens_details.", out, accepted_prediction_tokens));
  const Stated rejected = counter.Set(
      v1::USAGE_MEASURE_REJECTED_PREDICTION_TOKENS,
      STATED("completion_tokens_details.", out, rejected_prediction_tokens));
  const Stated out_audio =
      counter.Set(v1::USAGE_MEASURE_OUTPUT_AUDIO_TOKENS,
                  STATED("completion_tokens_details.", out, audio_tokens));
  const Stated out_image =
      counter.Set(v1::USAGE_MEASURE_OUTPUT_IMAGE_TOKENS,
                  STATED("completion_tokens_details.", out, image_tokens));
  counter.CheckParts({reasoning, accepted, rejected}, all.output);
  counter.CheckParts({out_audio, out_image}, all.output);

  const auto& tools = usage.server_tool_use_details();
  const auto& same = usage.server_tool_use();
  counter.Set(
      v1::USAGE_MEASURE_TOOL_CALLS,
      counter.OneOf(
          {STATED("server_tool_use_details.", tools, tool_calls_executed),
           STATED("server_tool_use.", same, tool_calls_executed)}));
  counter.Set(
      v1::USAGE_MEASURE_WEB_SEARCH_REQUESTS,
      counter.OneOf(
          {STATED("server_tool_use_details.", tools, web_search_requests),
           STATED("server_tool_use.", same, web_search_requests)}));
  CountCost(&counter, usage);
  return counts;
}

// By OpenAI's rules.
UsageCounts CountUsage(const openrouter::v1::ResponsesUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  const Wholes all = usage_internal::CountInputOutput(&counter, usage);
  const auto& in = usage.input_tokens_details();
  const Stated read =
      counter.Set(v1::USAGE_MEASURE_CACHE_READ_TOKENS,
                  STATED("input_tokens_details.", in, cached_tokens));
  const Stated write =
      counter.Set(v1::USAGE_MEASURE_CACHE_WRITE_TOKENS,
                  STATED("input_tokens_details.", in, cache_write_tokens));
  const Stated reasoning =
      counter.Set(v1::USAGE_MEASURE_REASONING_TOKENS,
                  STATED("output_tokens_details.",
                         usage.output_tokens_details(), reasoning_tokens));
  counter.CheckParts({read, write}, all.input);
  counter.CheckPart(reasoning, all.output);

  const auto& tools = usage.server_tool_use_details();
  counter.Set(v1::USAGE_MEASURE_TOOL_CALLS,
              STATED("server_tool_use_details.", tools, tool_calls_executed));
  counter.Set(v1::USAGE_MEASURE_WEB_SEARCH_REQUESTS,
              STATED("server_tool_use_details.", tools, web_search_requests));
  CountCost(&counter, usage);
  return counts;
}

UsageCounts CountUsage(const openrouter::v1::MessagesUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  usage_internal::CountMessage(&counter, usage);
  CountCost(&counter, usage);
  return counts;
}

UsageCounts CountUsage(const openrouter::v1::ImagesUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  const Wholes all = usage_internal::CountPromptCompletion(&counter, usage);
  const auto& in = usage.prompt_tokens_details();
  const Stated write = CountPromptCache(&counter, in, all.input);
  const auto& creation = usage.cache_creation();
  const Stated write_5m = counter.Set(
      v1::USAGE_MEASURE_CACHE_WRITE_5M_TOKENS,
      STATED("cache_creation.", creation, ephemeral_5m_input_tokens));
  const Stated write_1h = counter.Set(
      v1::USAGE_MEASURE_CACHE_WRITE_1H_TOKENS,
      STATED("cache_creation.", creation, ephemeral_1h_input_tokens));
  counter.CheckParts({write_5m, write_1h}, write);
  const Stated in_audio =
      counter.Set(v1::USAGE_MEASURE_INPUT_AUDIO_TOKENS,
                  STATED("prompt_tokens_details.", in, audio_tokens));
  const Stated in_video =
      counter.Set(v1::USAGE_MEASURE_INPUT_VIDEO_TOKENS,
                  STATED("prompt_tokens_details.", in, video_tokens));
  const Stated in_document =
      counter.Set(v1::USAGE_MEASURE_INPUT_DOCUMENT_TOKENS,
                  STATED("prompt_tokens_details.", in, file_tokens));
  counter.CheckParts({in_audio, in_video, in_document}, all.input);

  const auto& out = usage.completion_tokens_details();
  const Stated reasoning =
      counter.Set(v1::USAGE_MEASURE_REASONING_TOKENS,
                  STATED("completion_tokens_details.", out, reasoning_tokens));
  const Stated out_audio =
      counter.Set(v1::USAGE_MEASURE_OUTPUT_AUDIO_TOKENS,
                  STATED("completion_tokens_details.", out, audio_tokens));
  const Stated out_image =
      counter.Set(v1::USAGE_MEASURE_OUTPUT_IMAGE_TOKENS,
                  STATED("completion_tokens_details.", out, image_tokens));
  counter.CheckPart(reasoning, all.output);
  counter.CheckParts({out_audio, out_image}, all.output);

  const auto& tools = usage.server_tool_use();
  counter.Set(v1::USAGE_MEASURE_TOOL_CALLS,
              STATED("server_tool_use.", tools, tool_calls_executed));
  counter.Set(v1::USAGE_MEASURE_WEB_SEARCH_REQUESTS,
              STATED("server_tool_use.", tools, web_search_requests));
  CountCost(&counter, usage);
  return counts;
}

UsageCounts CountUsage(const openrouter::v1::EmbeddingsUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  const Stated input = usage_internal::CountEmbeddings(&counter, usage);
  const auto& in = usage.prompt_tokens_details();
  const Stated text =
      counter.Set(v1::USAGE_MEASURE_INPUT_TEXT_TOKENS,
                  STATED("prompt_tokens_details.", in, text_tokens));
  const Stated image =
      counter.Set(v1::USAGE_MEASURE_INPUT_IMAGE_TOKENS,
                  STATED("prompt_tokens_details.", in, image_tokens));
  const Stated audio =
      counter.Set(v1::USAGE_MEASURE_INPUT_AUDIO_TOKENS,
                  STATED("prompt_tokens_details.", in, audio_tokens));
  const Stated video =
      counter.Set(v1::USAGE_MEASURE_INPUT_VIDEO_TOKENS,
                  STATED("prompt_tokens_details.", in, video_tokens));
  const Stated document =
      counter.Set(v1::USAGE_MEASURE_INPUT_DOCUMENT_TOKENS,
                  STATED("prompt_tokens_details.", in, file_tokens));
  counter.CheckParts({text, image, audio, video, document}, input);
  CountCost(&counter, usage);
  return counts;
}

UsageCounts CountUsage(const openrouter::v1::RerankUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  counter.Set(v1::USAGE_MEASURE_SEARCH_UNITS, STATED("", usage, search_units));
  counter.Set(v1::USAGE_MEASURE_TOTAL_TOKENS, STATED("", usage, total_tokens));
  CountCost(&counter, usage);
  return counts;
}

UsageCounts CountUsage(const openrouter::v1::TranscriptionUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  usage_internal::CountInputOutput(&counter, usage);
  counter.Set(v1::USAGE_MEASURE_INPUT_AUDIO_SECONDS,
              STATED("", usage, seconds));
  CountCost(&counter, usage);
  return counts;
}

UsageCounts CountUsage(const openrouter::v1::VideoUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  CountCost(&counter, usage);
  return counts;
}

}  // namespace tokenusage
