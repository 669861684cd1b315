// SPDX-License-Identifier: Apache-2.0

#include <cstdint>
#include <string_view>

#include "tests/benchmark/json/usage_peers.h"

namespace tokenusage {

using simdjson::ondemand::array;
using simdjson::ondemand::object;
using simdjson::ondemand::value;

namespace {

bool SimdjsonRead(object object, OpenAiChatUsage::PromptTokensDetails* usage);
bool SimdjsonRead(object object,
                  OpenAiChatUsage::CompletionTokensDetails* usage);
bool SimdjsonRead(object object,
                  OpenAiResponsesUsage::InputTokensDetails* usage);
bool SimdjsonRead(object object,
                  OpenAiResponsesUsage::OutputTokensDetails* usage);
bool SimdjsonRead(object object, AnthropicUsage::CacheCreation* usage);
bool SimdjsonRead(object object, AnthropicUsage::OutputTokensDetails* usage);
bool SimdjsonRead(object object, AnthropicUsage::ServerToolUse* usage);
bool SimdjsonRead(object object, GeminiUsage::ModalityCount* usage);
bool SimdjsonRead(object object, BedrockUsage::CacheDetail* usage);

template <typename Usage>
bool ReadObject(value value, Usage* usage) {
  object object;
  return !value.get_object().get(object) && SimdjsonRead(object, usage);
}

template <typename Add>
bool ReadArray(value value, Add add) {
  array array;
  if (value.get_array().get(array)) return false;
  for (auto element : array) {
    object object;
    if (element.get_object().get(object) || !SimdjsonRead(object, add())) {
      return false;
    }
  }
  return true;
}

bool SimdjsonRead(object object, OpenAiChatUsage::PromptTokensDetails* usage) {
  for (auto field : object) {
    std::string_view name;
    if (field.unescaped_key().get(name)) return false;
    value value = field.value();
    std::int64_t number;
    if (name == "cached_tokens") {
      if (value.get_int64().get(number)) return false;
      usage->set_cached_tokens(number);
    } else if (name == "audio_tokens") {
      if (value.get_int64().get(number)) return false;
      usage->set_audio_tokens(number);
    } else if (name == "cache_write_tokens") {
      if (value.get_int64().get(number)) return false;
      usage->set_cache_write_tokens(number);
    } else if (name == "text_tokens") {
      if (value.get_int64().get(number)) return false;
      usage->set_text_tokens(number);
    } else if (name == "image_tokens") {
      if (value.get_int64().get(number)) return false;
      usage->set_image_tokens(number);
    }
  }
  return true;
}

bool SimdjsonRead(object object,
                  OpenAiChatUsage::CompletionTokensDetails* usage) {
  for (auto field : object) {
    std::string_view name;
    if (field.unescaped_key().get(name)) return false;
    value value = field.value();
    std::int64_t number;
    if (name == "reasoning_tokens") {
      if (value.get_int64().get(number)) return false;
      usage->set_reasoning_tokens(number);
    } else if (name == "audio_tokens") {
      if (value.get_int64().get(number)) return false;
      usage->set_audio_tokens(number);
    } else if (name == "accepted_prediction_tokens") {
      if (value.get_int64().get(number)) return false;
      usage->set_accepted_prediction_tokens(number);
    } else if (name == "rejected_prediction_tokens") {
      if (value.get_int64().get(number)) return false;
      usage->set_rejected_prediction_tokens(number);
    } else if (name == "text_tokens") {
      if (value.get_int64().get(number)) return false;
      usage->set_text_tokens(number);
    }
  }
  return true;
}

bool SimdjsonRead(object object,
                  OpenAiResponsesUsage::InputTokensDetails* usage) {
  for (auto field : object) {
    std::string_view name;
    if (field.unescaped_key().get(name)) return false;
    value value = field.value();
    std::int64_t number;
    if (name == "cached_tokens") {
      if (value.get_int64().get(number)) return false;
      usage->set_cached_tokens(number);
    } else if (name == "cache_write_tokens") {
      if (value.get_int64().get(number)) return false;
      usage->set_cache_write_tokens(number);
    }
  }
  return true;
}

bool SimdjsonRead(object object,
                  OpenAiResponsesUsage::OutputTokensDetails* usage) {
  for (auto field : object) {
    std::string_view name;
    if (field.unescaped_key().get(name)) return false;
    value value = field.value();
    std::int64_t number;
    if (name == "reasoning_tokens") {
      if (value.get_int64().get(number)) return false;
      usage->set_reasoning_tokens(number);
    }
  }
  return true;
}

bool SimdjsonRead(object object, AnthropicUsage::CacheCreation* usage) {
  for (auto field : object) {
    std::string_view name;
    if (field.unescaped_key().get(name)) return false;
    value value = field.value();
    std::int64_t number;
    if (name == "ephemeral_5m_input_tokens") {
      if (value.get_int64().get(number)) return false;
      usage->set_ephemeral_5m_input_tokens(number);
    } else if (name == "ephemeral_1h_input_tokens") {
      if (value.get_int64().get(number)) return false;
      usage->set_ephemeral_1h_input_tokens(number);
    }
  }
  return true;
}

bool SimdjsonRead(object object, AnthropicUsage::OutputTokensDetails* usage) {
  for (auto field : object) {
    std::string_view name;
    if (field.unescaped_key().get(name)) return false;
    value value = field.value();
    std::int64_t number;
    if (name == "thinking_tokens") {
      if (value.get_int64().get(number)) return false;
      usage->set_thinking_tokens(number);
    }
  }
  return true;
}

bool SimdjsonRead(object object, AnthropicUsage::ServerToolUse* usage) {
  for (auto field : object) {
    std::string_view name;
    if (field.unescaped_key().get(name)) return false;
    value value = field.value();
    std::int64_t number;
    if (name == "web_search_requests") {
      if (value.get_int64().get(number)) return false;
      usage->set_web_search_requests(number);
    } else if (name == "web_fetch_requests") {
      if (value.get_int64().get(number)) return false;
      usage->set_web_fetch_requests(number);
    }
  }
  return true;
}

bool SimdjsonRead(object object, GeminiUsage::ModalityCount* usage) {
  for (auto field : object) {
    std::string_view name;
    if (field.unescaped_key().get(name)) return false;
    value value = field.value();
    std::int64_t number;
    std::string_view text;
    if (name == "modality") {
      if (value.is_null()) continue;
      if (value.get_string().get(text)) return false;
      usage->mutable_modality()->assign(text);
    } else if (name == "tokenCount") {
      if (value.get_int64().get(number)) return false;
      usage->set_token_count(number);
    }
  }
  return true;
}

bool SimdjsonRead(object object, BedrockUsage::CacheDetail* usage) {
  for (auto field : object) {
    std::string_view name;
    if (field.unescaped_key().get(name)) return false;
    value value = field.value();
    std::int64_t number;
    std::string_view text;
    if (name == "ttl") {
      if (value.is_null()) continue;
      if (value.get_string().get(text)) return false;
      usage->mutable_ttl()->assign(text);
    } else if (name == "inputTokens") {
      if (value.get_int64().get(number)) return false;
      usage->set_input_tokens(number);
    }
  }
  return true;
}

}  // namespace

bool SimdjsonRead(object object, OpenAiChatUsage* usage) {
  for (auto field : object) {
    std::string_view name;
    if (field.unescaped_key().get(name)) return false;
    value value = field.value();
    std::int64_t number;
    if (name == "prompt_tokens") {
      if (value.get_int64().get(number)) return false;
      usage->set_prompt_tokens(number);
    } else if (name == "completion_tokens") {
      if (value.get_int64().get(number)) return false;
      usage->set_completion_tokens(number);
    } else if (name == "total_tokens") {
      if (value.get_int64().get(number)) return false;
      usage->set_total_tokens(number);
    } else if (name == "prompt_tokens_details") {
      if (!ReadObject(value, usage->mutable_prompt_tokens_details()))
        return false;
    } else if (name == "completion_tokens_details") {
      if (!ReadObject(value, usage->mutable_completion_tokens_details()))
        return false;
    }
  }
  return true;
}

bool SimdjsonRead(object object, OpenAiResponsesUsage* usage) {
  for (auto field : object) {
    std::string_view name;
    if (field.unescaped_key().get(name)) return false;
    value value = field.value();
    std::int64_t number;
    if (name == "input_tokens") {
      if (value.get_int64().get(number)) return false;
      usage->set_input_tokens(number);
    } else if (name == "input_tokens_details") {
      if (!ReadObject(value, usage->mutable_input_tokens_details()))
        return false;
    } else if (name == "output_tokens") {
      if (value.get_int64().get(number)) return false;
      usage->set_output_tokens(number);
    } else if (name == "output_tokens_details") {
      if (!ReadObject(value, usage->mutable_output_tokens_details()))
        return false;
    } else if (name == "total_tokens") {
      if (value.get_int64().get(number)) return false;
      usage->set_total_tokens(number);
    }
  }
  return true;
}

bool SimdjsonRead(object object, AnthropicUsage* usage) {
  for (auto field : object) {
    std::string_view name;
    if (field.unescaped_key().get(name)) return false;
    value value = field.value();
    std::int64_t number;
    std::string_view text;
    if (name == "input_tokens") {
      if (value.get_int64().get(number)) return false;
      usage->set_input_tokens(number);
    } else if (name == "cache_creation_input_tokens") {
      if (value.is_null()) continue;
      if (value.get_int64().get(number)) return false;
      usage->set_cache_creation_input_tokens(number);
    } else if (name == "cache_read_input_tokens") {
      if (value.is_null()) continue;
      if (value.get_int64().get(number)) return false;
      usage->set_cache_read_input_tokens(number);
    } else if (name == "cache_creation") {
      if (value.is_null()) continue;
      if (!ReadObject(value, usage->mutable_cache_creation())) return false;
    } else if (name == "output_tokens") {
      if (value.get_int64().get(number)) return false;
      usage->set_output_tokens(number);
    } else if (name == "output_tokens_details") {
      if (value.is_null()) continue;
      if (!ReadObject(value, usage->mutable_output_tokens_details()))
        return false;
    } else if (name == "server_tool_use") {
      if (value.is_null()) continue;
      if (!ReadObject(value, usage->mutable_server_tool_use())) return false;
    } else if (name == "service_tier") {
      if (value.is_null()) continue;
      if (value.get_string().get(text)) return false;
      usage->mutable_service_tier()->assign(text);
    } else if (name == "inference_geo") {
      if (value.is_null()) continue;
      if (value.get_string().get(text)) return false;
      usage->mutable_inference_geo()->assign(text);
    }
  }
  return true;
}

bool SimdjsonRead(object object, GeminiUsage* usage) {
  for (auto field : object) {
    std::string_view name;
    if (field.unescaped_key().get(name)) return false;
    value value = field.value();
    std::int64_t number;
    std::string_view text;
    if (name == "promptTokenCount") {
      if (value.get_int64().get(number)) return false;
      usage->set_prompt_token_count(number);
    } else if (name == "candidatesTokenCount") {
      if (value.get_int64().get(number)) return false;
      usage->set_candidates_token_count(number);
    } else if (name == "totalTokenCount") {
      if (value.get_int64().get(number)) return false;
      usage->set_total_token_count(number);
    } else if (name == "cachedContentTokenCount") {
      if (value.get_int64().get(number)) return false;
      usage->set_cached_content_token_count(number);
    } else if (name == "promptTokensDetails") {
      if (!ReadArray(value, [&] { return usage->add_prompt_tokens_details(); }))
        return false;
    } else if (name == "cacheTokensDetails") {
      if (!ReadArray(value, [&] { return usage->add_cache_tokens_details(); }))
        return false;
    } else if (name == "candidatesTokensDetails") {
      if (!ReadArray(value,
                     [&] { return usage->add_candidates_tokens_details(); }))
        return false;
    } else if (name == "toolUsePromptTokenCount") {
      if (value.get_int64().get(number)) return false;
      usage->set_tool_use_prompt_token_count(number);
    } else if (name == "thoughtsTokenCount") {
      if (value.get_int64().get(number)) return false;
      usage->set_thoughts_token_count(number);
    } else if (name == "trafficType") {
      if (value.is_null()) continue;
      if (value.get_string().get(text)) return false;
      usage->mutable_traffic_type()->assign(text);
    }
  }
  return true;
}

bool SimdjsonRead(object object, BedrockUsage* usage) {
  for (auto field : object) {
    std::string_view name;
    if (field.unescaped_key().get(name)) return false;
    value value = field.value();
    std::int64_t number;
    if (name == "inputTokens") {
      if (value.get_int64().get(number)) return false;
      usage->set_input_tokens(number);
    } else if (name == "outputTokens") {
      if (value.get_int64().get(number)) return false;
      usage->set_output_tokens(number);
    } else if (name == "totalTokens") {
      if (value.get_int64().get(number)) return false;
      usage->set_total_tokens(number);
    } else if (name == "cacheReadInputTokens") {
      if (value.get_int64().get(number)) return false;
      usage->set_cache_read_input_tokens(number);
    } else if (name == "cacheWriteInputTokens") {
      if (value.get_int64().get(number)) return false;
      usage->set_cache_write_input_tokens(number);
    } else if (name == "cacheDetails") {
      if (!ReadArray(value, [&] { return usage->add_cache_details(); }))
        return false;
    }
  }
  return true;
}

}  // namespace tokenusage
