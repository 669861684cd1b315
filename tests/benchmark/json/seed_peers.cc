// SPDX-License-Identifier: Apache-2.0

#include "tests/benchmark/json/seed_peers.h"

#include "google/protobuf/util/json_util.h"
#include "rapidjson/document.h"
#include "rapidjson/stringbuffer.h"
#include "rapidjson/writer.h"

namespace tokenusage {
namespace {

bool ReadObject(simdjson::ondemand::object object, SeedMessage* message) {
  for (auto field : object) {
    std::string_view name;
    if (field.unescaped_key().get(name)) return false;
    double value;
    if (name == "input_tokens_details") {
      auto* details = message->mutable_input_tokens_details();
      simdjson::ondemand::object inner;
      if (field.value().get_object().get(inner)) return false;
      for (auto detail : inner) {
        if (detail.unescaped_key().get(name) ||
            detail.value().get_double().get(value)) {
          return false;
        }
        if (name == "text_tokens") {
          details->set_text_tokens(value);
        } else if (name == "image_tokens") {
          details->set_image_tokens(value);
        }
      }
      continue;
    }
    if (field.value().get_double().get(value)) return false;
    if (name == "total_tokens") {
      message->set_total_tokens(value);
    } else if (name == "input_tokens") {
      message->set_input_tokens(value);
    } else if (name == "output_tokens") {
      message->set_output_tokens(value);
    }
  }
  return true;
}

bool ReadDocument(simdjson::ondemand::document_reference document,
                  SeedMessage* message) {
  simdjson::ondemand::object object;
  return !document.get_object().get(object) && ReadObject(object, message);
}

}  // namespace

bool ProtobufParse(const std::string& json, SeedMessage* message) {
  return ::google::protobuf::util::JsonStringToMessage(json, message).ok();
}

bool ProtobufAppend(const SeedMessage& message, std::string* out) {
  return ::google::protobuf::util::MessageToJsonString(message, out).ok();
}

bool RapidJsonParse(const std::string& json, SeedMessage* message) {
  rapidjson::Document document;
  document.Parse<rapidjson::kParseFullPrecisionFlag>(json.data(), json.size());
  if (document.HasParseError()) return false;
  message->set_total_tokens(document["total_tokens"].GetDouble());
  message->set_input_tokens(document["input_tokens"].GetDouble());
  message->set_output_tokens(document["output_tokens"].GetDouble());
  const auto& source = document["input_tokens_details"];
  auto* details = message->mutable_input_tokens_details();
  details->set_text_tokens(source["text_tokens"].GetDouble());
  details->set_image_tokens(source["image_tokens"].GetDouble());
  return true;
}

bool RapidJsonAppend(const SeedMessage& message, std::string* out) {
  thread_local rapidjson::StringBuffer buffer;
  buffer.Clear();
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  writer.StartObject();
  writer.Key("total_tokens");
  writer.Double(message.total_tokens());
  writer.Key("input_tokens");
  writer.Double(message.input_tokens());
  writer.Key("output_tokens");
  writer.Double(message.output_tokens());
  writer.Key("input_tokens_details");
  writer.StartObject();
  writer.Key("text_tokens");
  writer.Double(message.input_tokens_details().text_tokens());
  writer.Key("image_tokens");
  writer.Double(message.input_tokens_details().image_tokens());
  writer.EndObject();
  writer.EndObject();
  out->append(buffer.GetString(), buffer.GetSize());
  return true;
}

bool SimdjsonParse(simdjson::ondemand::parser* parser, const std::string& json,
                   SeedMessage* message) {
  simdjson::ondemand::document document;
  if (parser->iterate(json.data(), json.size(), json.capacity())
          .get(document)) {
    return false;
  }
  return ReadDocument(document, message);
}

int SimdjsonParseLines(simdjson::ondemand::parser* parser,
                       const std::string& lines, SeedMessage* message) {
  simdjson::ondemand::document_stream stream;
  if (parser
          ->iterate_many(lines.data(), lines.size(),
                         simdjson::ondemand::DEFAULT_BATCH_SIZE)
          .get(stream))
    return 0;
  int count = 0;
  for (auto document : stream) {
    simdjson::ondemand::document_reference reference;
    if (std::move(document).get(reference)) return count;
    if (!ReadDocument(reference, message)) return count;
    ++count;
  }
  return count;
}

bool SimdjsonParseUsage(simdjson::ondemand::parser* parser,
                        const std::string& json, SeedMessage* message) {
  simdjson::ondemand::document document;
  simdjson::ondemand::object usage;
  if (parser->iterate(json.data(), json.size(), json.capacity())
          .get(document) ||
      document["usage"].get_object().get(usage)) {
    return false;
  }
  return ReadObject(usage, message);
}

}  // namespace tokenusage
