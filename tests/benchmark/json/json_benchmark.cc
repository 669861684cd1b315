// SPDX-License-Identifier: Apache-2.0
//
// The JSON mapping beside other libraries, on the usage objects of five
// providers and on the seed message.
//
//   bazel run -c opt //tests/benchmark/json:json_benchmark
//
// Each cell is the least time of many interleaved passes, in nanoseconds per
// document, and in brackets tokenusage's time divided by it: below 1,
// tokenusage is the faster one.

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "google/protobuf/dynamic_message.h"
#include "google/protobuf/message.h"
#include "google/protobuf/util/json_util.h"
#include "tests/benchmark/json/interleaved.h"
#include "tests/benchmark/json/seed_documents.h"
#include "tests/benchmark/json/seed_peers.h"
#include "tests/benchmark/json/usage_documents.h"
#include "tests/benchmark/json/usage_peers.h"
#include "tests/benchmark/json/yardstick.h"
#include "tokenusage/json/json.h"

namespace tokenusage {
namespace {

using ::google::protobuf::Message;
using ::google::protobuf::util::JsonStringToMessage;
using ::google::protobuf::util::MessageToJsonString;
using simdjson::ondemand::parser;

// Returns a pass that reads each document into one message that is reused.
template <typename Class, typename Parse>
Interleaved::Pass ReadPass(const std::vector<std::string>& documents,
                           Parse parse) {
  return [&documents, message = std::make_shared<Class>(), parse] {
    std::size_t count = 0;
    for (const std::string& json : documents) {
      count += parse(json, message.get());
    }
    return count;
  };
}

// Returns a pass that writes each message into one string that is reused.
template <typename Class, typename Append>
Interleaved::Pass WritePass(const std::vector<Class>& messages, Append append) {
  return [&messages, out = std::make_shared<std::string>(), append] {
    std::size_t count = 0;
    for (const Class& message : messages) {
      out->clear();
      count += append(message, out.get());
    }
    return count;
  };
}

bool Read(const std::string& json, Message* message) {
  return ParseJson(json, message).ok();
}
bool ReadUsage(const std::string& json, Message* message) {
  return ParseJsonAt(json, "usage", message).ok();
}
bool Write(const Message& message, std::string* out) {
  return AppendJson(message, out).ok();
}
bool ProtobufRead(const std::string& json, Message* message) {
  message->Clear();
  return JsonStringToMessage(json, message).ok();
}
bool ProtobufWrite(const Message& message, std::string* out) {
  return MessageToJsonString(message, out).ok();
}

// A class made at run time, which has no generated code.
Message* NewDynamic(const ::google::protobuf::Descriptor* descriptor) {
  static auto* const factory = new ::google::protobuf::DynamicMessageFactory;
  return factory->GetPrototype(descriptor)->New();
}

Interleaved::Pass ReflectionPass(const std::vector<std::string>& documents,
                                 const Message& prototype) {
  const std::shared_ptr<Message> message(NewDynamic(prototype.GetDescriptor()));
  return [&documents, message] {
    std::size_t count = 0;
    for (const std::string& json : documents)
      count += Read(json, message.get());
    return count;
  };
}

// Data that lives as long as the benchmark.
template <typename T>
const T& Keep(T value) {
  return *new T(std::move(value));
}

template <typename Usage>
void AddUsage(const std::string& name, UsageSet set, Interleaved* race) {
  const std::string read = "read " + name, write = "write " + name;
  if (!race->Wants(read) && !race->Wants(write)) return;
  const auto& documents = Keep(MakeUsageDocuments(set));
  const std::size_t count = documents.size();
  race->Add(read, "tokenusage", count, ReadPass<Usage>(documents, Read));
  race->Add(
      read, "simdjson", count,
      ReadPass<Usage>(documents, [parser = std::make_shared<parser>()](
                                     const std::string& json, Usage* usage) {
        return SimdjsonParse(parser.get(), json, usage);
      }));
  race->Add(read, "protobuf", count, ReadPass<Usage>(documents, ProtobufRead));
  race->Add(read, "reflection", count, ReflectionPass(documents, Usage()));
  if (set == UsageSet::kOpenAiChatIndented) return;

  std::vector<Usage> messages(count);
  for (std::size_t i = 0; i < count; ++i) Read(documents[i], &messages[i]);
  const auto& kept = Keep(std::move(messages));
  race->Add(write, "tokenusage", count, WritePass<Usage>(kept, Write));
  race->Add(write, "rapidjson", count,
            WritePass<Usage>(kept, [](const Usage& usage, std::string* out) {
              return RapidJsonAppend(usage, out);
            }));
  race->Add(write, "protobuf", count, WritePass<Usage>(kept, ProtobufWrite));
}

void AddReply(const std::string& name, ReplyText text, Interleaved* race) {
  const std::string row = "read in a 2.3 KB reply, " + name;
  if (!race->Wants(row)) return;
  const auto& documents = Keep(MakeChatReplies(text));
  race->Add(row, "tokenusage", documents.size(),
            ReadPass<OpenAiChatUsage>(documents, ReadUsage));
  race->Add(
      row, "simdjson", documents.size(),
      ReadPass<OpenAiChatUsage>(
          documents, [parser = std::make_shared<parser>()](
                         const std::string& json, OpenAiChatUsage* usage) {
            return SimdjsonParseUsage(parser.get(), json, usage);
          }));
}

bool IsCompact(SeedSet set) {
  return set != SeedSet::kPretty && set != SeedSet::kShuffled;
}

void AddSeed(const std::string& name, SeedSet set, Interleaved* race) {
  const std::string read = "read seed, " + name, write = "write seed, " + name;
  if (!race->Wants(read) && !race->Wants(write)) return;
  const SeedDocuments& documents = Keep(MakeSeedDocuments(set));
  race->Add(read, "tokenusage", kSeedCount,
            ReadPass<SeedMessage>(documents.json, Read));
  race->Add(
      read, "simdjson", kSeedCount,
      ReadPass<SeedMessage>(documents.json,
                            [parser = std::make_shared<parser>()](
                                const std::string& json, SeedMessage* message) {
                              message->Clear();
                              return SimdjsonParse(parser.get(), json, message);
                            }));
  if (IsCompact(set)) {
    race->Add(read, "yardstick", kSeedCount,
              ReadPass<SeedMessage>(documents.json, [](const std::string& json,
                                                       SeedMessage* message) {
                return YardstickParse(json.data(), json.size(), message);
              }));
  }
  race->Add(read, "protobuf", kSeedCount,
            ReadPass<SeedMessage>(documents.json, ProtobufRead));
  race->Add(read, "reflection", kSeedCount,
            ReflectionPass(documents.json, SeedMessage()));
  if (!IsCompact(set)) return;

  race->Add(write, "tokenusage", kSeedCount,
            WritePass<SeedMessage>(documents.messages, Write));
  race->Add(write, "yardstick", kSeedCount,
            WritePass<SeedMessage>(documents.messages,
                                   [](const SeedMessage& m, std::string* out) {
                                     YardstickAppend(m, out);
                                     return true;
                                   }));
  race->Add(write, "rapidjson", kSeedCount,
            WritePass<SeedMessage>(documents.messages,
                                   [](const SeedMessage& m, std::string* out) {
                                     return RapidJsonAppend(m, out);
                                   }));
  race->Add(write, "protobuf", kSeedCount,
            WritePass<SeedMessage>(documents.messages, ProtobufWrite));
}

void AddResponse(Interleaved* race) {
  const std::string row = "read in a 1 MB response";
  if (!race->Wants(row)) return;
  const auto& response = Keep(MakeSeedDocuments(SeedSet::kMoney)).response;
  race->Add(row, "tokenusage", 1,
            [&response, message = std::make_shared<SeedMessage>()] {
              return std::size_t{ReadUsage(response, message.get())};
            });
  race->Add(row, "simdjson", 1,
            [&response, message = std::make_shared<SeedMessage>(),
             parser = std::make_shared<parser>()] {
              return std::size_t{
                  SimdjsonParseUsage(parser.get(), response, message.get())};
            });
}

}  // namespace
}  // namespace tokenusage

int main(int argc, char** argv) {
  using namespace tokenusage;  // NOLINT(google-build-using-namespace)
  Interleaved race(argc, argv);
  AddUsage<OpenAiChatUsage>("OpenAI chat", UsageSet::kOpenAiChat, &race);
  AddUsage<OpenAiChatUsage>("OpenAI chat, full", UsageSet::kOpenAiChatFull,
                            &race);
  AddUsage<OpenAiChatUsage>("OpenAI chat, indented",
                            UsageSet::kOpenAiChatIndented, &race);
  AddUsage<OpenAiResponsesUsage>("OpenAI responses", UsageSet::kOpenAiResponses,
                                 &race);
  AddUsage<AnthropicUsage>("Anthropic", UsageSet::kAnthropic, &race);
  AddUsage<GeminiUsage>("Gemini", UsageSet::kGemini, &race);
  AddUsage<BedrockUsage>("Bedrock", UsageSet::kBedrock, &race);
  AddReply("plain", ReplyText::kPlain, &race);
  AddReply("few escapes", ReplyText::kFewEscapes, &race);
  AddReply("accents", ReplyText::kAccents, &race);
  AddReply("many escapes", ReplyText::kManyEscapes, &race);
  AddSeed("money", SeedSet::kMoney, &race);
  AddSeed("ints", SeedSet::kInts, &race);
  AddSeed("full", SeedSet::kFull, &race);
  AddSeed("pretty", SeedSet::kPretty, &race);
  AddSeed("shuffled", SeedSet::kShuffled, &race);
  AddResponse(&race);
  return race.Run();
}
