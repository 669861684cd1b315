// SPDX-License-Identifier: Apache-2.0
//
// Usage objects read by simdjson on demand and written by RapidJSON, each as
// its users would write it by hand for that message.

#ifndef TOKENUSAGE_TESTS_BENCHMARK_JSON_USAGE_PEERS_H_
#define TOKENUSAGE_TESTS_BENCHMARK_JSON_USAGE_PEERS_H_

#include <string>

#include "simdjson.h"
#include "tests/benchmark/json/usage.pb.h"

namespace tokenusage {

using benchmark::AnthropicUsage;
using benchmark::BedrockUsage;
using benchmark::GeminiUsage;
using benchmark::OpenAiChatUsage;
using benchmark::OpenAiResponsesUsage;

bool SimdjsonRead(simdjson::ondemand::object object, OpenAiChatUsage* usage);
bool SimdjsonRead(simdjson::ondemand::object object,
                  OpenAiResponsesUsage* usage);
bool SimdjsonRead(simdjson::ondemand::object object, AnthropicUsage* usage);
bool SimdjsonRead(simdjson::ondemand::object object, GeminiUsage* usage);
bool SimdjsonRead(simdjson::ondemand::object object, BedrockUsage* usage);

// Replace `usage` with the document, or with the object under "usage" in it.
// `json` must have simdjson's padding in its capacity.
template <typename Usage>
bool SimdjsonParse(simdjson::ondemand::parser* parser, const std::string& json,
                   Usage* usage) {
  usage->Clear();
  simdjson::ondemand::document document;
  simdjson::ondemand::object object;
  return !parser->iterate(json.data(), json.size(), json.capacity())
              .get(document) &&
         !document.get_object().get(object) && SimdjsonRead(object, usage);
}

template <typename Usage>
bool SimdjsonParseUsage(simdjson::ondemand::parser* parser,
                        const std::string& json, Usage* usage) {
  usage->Clear();
  simdjson::ondemand::document document;
  simdjson::ondemand::object object;
  return !parser->iterate(json.data(), json.size(), json.capacity())
              .get(document) &&
         !document["usage"].get_object().get(object) &&
         SimdjsonRead(object, usage);
}

bool RapidJsonAppend(const OpenAiChatUsage& usage, std::string* out);
bool RapidJsonAppend(const OpenAiResponsesUsage& usage, std::string* out);
bool RapidJsonAppend(const AnthropicUsage& usage, std::string* out);
bool RapidJsonAppend(const GeminiUsage& usage, std::string* out);
bool RapidJsonAppend(const BedrockUsage& usage, std::string* out);

}  // namespace tokenusage

#endif  // TOKENUSAGE_TESTS_BENCHMARK_JSON_USAGE_PEERS_H_
