// SPDX-License-Identifier: Apache-2.0

#include <string>

#include "rapidjson/stringbuffer.h"
#include "rapidjson/writer.h"
#include "tests/benchmark/json/usage_peers.h"

namespace tokenusage {
namespace {

using Writer = rapidjson::Writer<rapidjson::StringBuffer>;

void Write(const OpenAiChatUsage::PromptTokensDetails& usage, Writer* writer) {
  writer->StartObject();
  if (usage.has_cached_tokens()) {
    writer->Key("cached_tokens");
    writer->Int64(usage.cached_tokens());
  }
  if (usage.has_audio_tokens()) {
    writer->Key("audio_tokens");
    writer->Int64(usage.audio_tokens());
  }
  if (usage.has_cache_write_tokens()) {
    writer->Key("cache_write_tokens");
    writer->Int64(usage.cache_write_tokens());
  }
  if (usage.has_text_tokens()) {
    writer->Key("text_tokens");
    writer->Int64(usage.text_tokens());
  }
  if (usage.has_image_tokens()) {
    writer->Key("image_tokens");
    writer->Int64(usage.image_tokens());
  }
  writer->EndObject();
}

void Write(const OpenAiChatUsage::CompletionTokensDetails& usage,
           Writer* writer) {
  writer->StartObject();
  if (usage.has_reasoning_tokens()) {
    writer->Key("reasoning_tokens");
    writer->Int64(usage.reasoning_tokens());
  }
  if (usage.has_audio_tokens()) {
    writer->Key("audio_tokens");
    writer->Int64(usage.audio_tokens());
  }
  if (usage.has_accepted_prediction_tokens()) {
    writer->Key("accepted_prediction_tokens");
    writer->Int64(usage.accepted_prediction_tokens());
  }
  if (usage.has_rejected_prediction_tokens()) {
    writer->Key("rejected_prediction_tokens");
    writer->Int64(usage.rejected_prediction_tokens());
  }
  if (usage.has_text_tokens()) {
    writer->Key("text_tokens");
    writer->Int64(usage.text_tokens());
  }
  writer->EndObject();
}

void Write(const OpenAiResponsesUsage::InputTokensDetails& usage,
           Writer* writer) {
  writer->StartObject();
  if (usage.has_cached_tokens()) {
    writer->Key("cached_tokens");
    writer->Int64(usage.cached_tokens());
  }
  if (usage.has_cache_write_tokens()) {
    writer->Key("cache_write_tokens");
    writer->Int64(usage.cache_write_tokens());
  }
  writer->EndObject();
}

void Write(const OpenAiResponsesUsage::OutputTokensDetails& usage,
           Writer* writer) {
  writer->StartObject();
  if (usage.has_reasoning_tokens()) {
    writer->Key("reasoning_tokens");
    writer->Int64(usage.reasoning_tokens());
  }
  writer->EndObject();
}

void Write(const AnthropicUsage::CacheCreation& usage, Writer* writer) {
  writer->StartObject();
  if (usage.has_ephemeral_5m_input_tokens()) {
    writer->Key("ephemeral_5m_input_tokens");
    writer->Int64(usage.ephemeral_5m_input_tokens());
  }
  if (usage.has_ephemeral_1h_input_tokens()) {
    writer->Key("ephemeral_1h_input_tokens");
    writer->Int64(usage.ephemeral_1h_input_tokens());
  }
  writer->EndObject();
}

void Write(const AnthropicUsage::OutputTokensDetails& usage, Writer* writer) {
  writer->StartObject();
  if (usage.has_thinking_tokens()) {
    writer->Key("thinking_tokens");
    writer->Int64(usage.thinking_tokens());
  }
  writer->EndObject();
}

void Write(const AnthropicUsage::ServerToolUse& usage, Writer* writer) {
  writer->StartObject();
  if (usage.has_web_search_requests()) {
    writer->Key("web_search_requests");
    writer->Int64(usage.web_search_requests());
  }
  if (usage.has_web_fetch_requests()) {
    writer->Key("web_fetch_requests");
    writer->Int64(usage.web_fetch_requests());
  }
  writer->EndObject();
}

void Write(const GeminiUsage::ModalityCount& usage, Writer* writer) {
  writer->StartObject();
  if (usage.has_modality()) {
    writer->Key("modality");
    writer->String(usage.modality().c_str());
  }
  if (usage.has_token_count()) {
    writer->Key("tokenCount");
    writer->Int64(usage.token_count());
  }
  writer->EndObject();
}

void Write(const BedrockUsage::CacheDetail& usage, Writer* writer) {
  writer->StartObject();
  if (usage.has_ttl()) {
    writer->Key("ttl");
    writer->String(usage.ttl().c_str());
  }
  if (usage.has_input_tokens()) {
    writer->Key("inputTokens");
    writer->Int64(usage.input_tokens());
  }
  writer->EndObject();
}

void Write(const OpenAiChatUsage& usage, Writer* writer) {
  writer->StartObject();
  if (usage.has_prompt_tokens()) {
    writer->Key("prompt_tokens");
    writer->Int64(usage.prompt_tokens());
  }
  if (usage.has_completion_tokens()) {
    writer->Key("completion_tokens");
    writer->Int64(usage.completion_tokens());
  }
  if (usage.has_total_tokens()) {
    writer->Key("total_tokens");
    writer->Int64(usage.total_tokens());
  }
  if (usage.has_prompt_tokens_details()) {
    writer->Key("prompt_tokens_details");
    Write(usage.prompt_tokens_details(), writer);
  }
  if (usage.has_completion_tokens_details()) {
    writer->Key("completion_tokens_details");
    Write(usage.completion_tokens_details(), writer);
  }
  writer->EndObject();
}

void Write(const OpenAiResponsesUsage& usage, Writer* writer) {
  writer->StartObject();
  if (usage.has_input_tokens()) {
    writer->Key("input_tokens");
    writer->Int64(usage.input_tokens());
  }
  if (usage.has_input_tokens_details()) {
    writer->Key("input_tokens_details");
    Write(usage.input_tokens_details(), writer);
  }
  if (usage.has_output_tokens()) {
    writer->Key("output_tokens");
    writer->Int64(usage.output_tokens());
  }
  if (usage.has_output_tokens_details()) {
    writer->Key("output_tokens_details");
    Write(usage.output_tokens_details(), writer);
  }
  if (usage.has_total_tokens()) {
    writer->Key("total_tokens");
    writer->Int64(usage.total_tokens());
  }
  writer->EndObject();
}

void Write(const AnthropicUsage& usage, Writer* writer) {
  writer->StartObject();
  if (usage.has_input_tokens()) {
    writer->Key("input_tokens");
    writer->Int64(usage.input_tokens());
  }
  if (usage.has_cache_creation_input_tokens()) {
    writer->Key("cache_creation_input_tokens");
    writer->Int64(usage.cache_creation_input_tokens());
  }
  if (usage.has_cache_read_input_tokens()) {
    writer->Key("cache_read_input_tokens");
    writer->Int64(usage.cache_read_input_tokens());
  }
  if (usage.has_cache_creation()) {
    writer->Key("cache_creation");
    Write(usage.cache_creation(), writer);
  }
  if (usage.has_output_tokens()) {
    writer->Key("output_tokens");
    writer->Int64(usage.output_tokens());
  }
  if (usage.has_output_tokens_details()) {
    writer->Key("output_tokens_details");
    Write(usage.output_tokens_details(), writer);
  }
  if (usage.has_server_tool_use()) {
    writer->Key("server_tool_use");
    Write(usage.server_tool_use(), writer);
  }
  if (usage.has_service_tier()) {
    writer->Key("service_tier");
    writer->String(usage.service_tier().c_str());
  }
  if (usage.has_inference_geo()) {
    writer->Key("inference_geo");
    writer->String(usage.inference_geo().c_str());
  }
  writer->EndObject();
}

void Write(const GeminiUsage& usage, Writer* writer) {
  writer->StartObject();
  if (usage.has_prompt_token_count()) {
    writer->Key("promptTokenCount");
    writer->Int64(usage.prompt_token_count());
  }
  if (usage.has_candidates_token_count()) {
    writer->Key("candidatesTokenCount");
    writer->Int64(usage.candidates_token_count());
  }
  if (usage.has_total_token_count()) {
    writer->Key("totalTokenCount");
    writer->Int64(usage.total_token_count());
  }
  if (usage.has_cached_content_token_count()) {
    writer->Key("cachedContentTokenCount");
    writer->Int64(usage.cached_content_token_count());
  }
  if (usage.prompt_tokens_details_size() > 0) {
    writer->Key("promptTokensDetails");
    writer->StartArray();
    for (const auto& element : usage.prompt_tokens_details())
      Write(element, writer);
    writer->EndArray();
  }
  if (usage.cache_tokens_details_size() > 0) {
    writer->Key("cacheTokensDetails");
    writer->StartArray();
    for (const auto& element : usage.cache_tokens_details())
      Write(element, writer);
    writer->EndArray();
  }
  if (usage.candidates_tokens_details_size() > 0) {
    writer->Key("candidatesTokensDetails");
    writer->StartArray();
    for (const auto& element : usage.candidates_tokens_details())
      Write(element, writer);
    writer->EndArray();
  }
  if (usage.has_tool_use_prompt_token_count()) {
    writer->Key("toolUsePromptTokenCount");
    writer->Int64(usage.tool_use_prompt_token_count());
  }
  if (usage.has_thoughts_token_count()) {
    writer->Key("thoughtsTokenCount");
    writer->Int64(usage.thoughts_token_count());
  }
  if (usage.has_traffic_type()) {
    writer->Key("trafficType");
    writer->String(usage.traffic_type().c_str());
  }
  writer->EndObject();
}

void Write(const BedrockUsage& usage, Writer* writer) {
  writer->StartObject();
  if (usage.has_input_tokens()) {
    writer->Key("inputTokens");
    writer->Int64(usage.input_tokens());
  }
  if (usage.has_output_tokens()) {
    writer->Key("outputTokens");
    writer->Int64(usage.output_tokens());
  }
  if (usage.has_total_tokens()) {
    writer->Key("totalTokens");
    writer->Int64(usage.total_tokens());
  }
  if (usage.has_cache_read_input_tokens()) {
    writer->Key("cacheReadInputTokens");
    writer->Int64(usage.cache_read_input_tokens());
  }
  if (usage.has_cache_write_input_tokens()) {
    writer->Key("cacheWriteInputTokens");
    writer->Int64(usage.cache_write_input_tokens());
  }
  if (usage.cache_details_size() > 0) {
    writer->Key("cacheDetails");
    writer->StartArray();
    for (const auto& element : usage.cache_details()) Write(element, writer);
    writer->EndArray();
  }
  writer->EndObject();
}

template <typename Usage>
bool Append(const Usage& usage, std::string* out) {
  thread_local rapidjson::StringBuffer buffer;
  buffer.Clear();
  Writer writer(buffer);
  Write(usage, &writer);
  out->append(buffer.GetString(), buffer.GetSize());
  return true;
}

}  // namespace

bool RapidJsonAppend(const OpenAiChatUsage& usage, std::string* out) {
  return Append(usage, out);
}

bool RapidJsonAppend(const OpenAiResponsesUsage& usage, std::string* out) {
  return Append(usage, out);
}

bool RapidJsonAppend(const AnthropicUsage& usage, std::string* out) {
  return Append(usage, out);
}

bool RapidJsonAppend(const GeminiUsage& usage, std::string* out) {
  return Append(usage, out);
}

bool RapidJsonAppend(const BedrockUsage& usage, std::string* out) {
  return Append(usage, out);
}

}  // namespace tokenusage
