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

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <type_traits>
#include <utility>
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

// Documents or messages in an order that changes from pass to pass: otherwise
// the processor's branch prediction memorizes the data, for as many of the
// contenders as it can hold. They stay in the same memory, one after the other.
template <typename Item>
class Shuffled {
 public:
  explicit Shuffled(const std::vector<Item>& items)
      : items_(items), slots_(items.size()), order_(items.size()) {
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    if constexpr (std::is_same_v<Item, std::string>) {
      std::size_t size = 0;
      for (const Item& item : items_) size = std::max(size, item.size());
      for (Item& slot : slots_) slot.reserve(size + kSimdjsonPadding);
    }
    Shuffle();
  }

  void Shuffle() {
    std::shuffle(order_.begin(), order_.end(), random_);
    for (std::size_t i = 0; i < order_.size(); ++i) {
      slots_[i] = items_[order_[i]];
    }
  }
  const std::vector<Item>& slots() const { return slots_; }

 private:
  const std::vector<Item> items_;
  std::vector<Item> slots_;
  std::vector<std::size_t> order_;
  std::mt19937 random_;
};

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

// Returns a message of a class made at run time, which has no generated code.
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

// The contenders of a row, which all work through the same data.
template <typename Item>
class Row {
 public:
  // `items` live as long as the benchmark.
  Row(const std::string& name, const std::vector<Item>& items,
      Interleaved* race)
      : name_(name), items_(*new Shuffled<Item>(items)), race_(*race) {}

  const std::vector<Item>& items() const { return items_.slots(); }
  void Add(const std::string& contender, Interleaved::Pass pass) {
    race_.Add(name_, contender, items().size(), std::move(pass),
              [&items = items_] { items.Shuffle(); });
  }

 private:
  const std::string name_;
  Shuffled<Item>& items_;
  Interleaved& race_;
};

template <typename Usage>
void AddUsage(const std::string& name, UsageSet set, Interleaved* race) {
  if (!race->Wants("read " + name) && !race->Wants("write " + name)) return;
  const std::vector<std::string> documents = MakeUsageDocuments(set);
  Row<std::string> read("read " + name, documents, race);
  const std::vector<std::string>& shuffled = read.items();
  read.Add("tokenusage", ReadPass<Usage>(shuffled, Read));
  read.Add(
      "simdjson",
      ReadPass<Usage>(shuffled, [parser = std::make_shared<parser>()](
                                    const std::string& json, Usage* usage) {
        return SimdjsonParse(parser.get(), json, usage);
      }));
  read.Add("protobuf", ReadPass<Usage>(shuffled, ProtobufRead));
  read.Add("reflection", ReflectionPass(shuffled, Usage()));
  if (set == UsageSet::kOpenAiChatIndented) return;

  std::vector<Usage> messages(documents.size());
  for (std::size_t i = 0; i < documents.size(); ++i) {
    Read(documents[i], &messages[i]);
  }
  Row<Usage> write("write " + name, messages, race);
  write.Add("tokenusage", WritePass<Usage>(write.items(), Write));
  write.Add("rapidjson", WritePass<Usage>(write.items(), [](const Usage& usage,
                                                            std::string* out) {
              return RapidJsonAppend(usage, out);
            }));
  write.Add("protobuf", WritePass<Usage>(write.items(), ProtobufWrite));
}

void AddReply(const std::string& name, ReplyText text, Interleaved* race) {
  const std::string title = "read in a 2.3 KB reply, " + name;
  if (!race->Wants(title)) return;
  Row<std::string> row(title, MakeChatReplies(text), race);
  row.Add("tokenusage", ReadPass<OpenAiChatUsage>(row.items(), ReadUsage));
  row.Add(
      "simdjson",
      ReadPass<OpenAiChatUsage>(
          row.items(), [parser = std::make_shared<parser>()](
                           const std::string& json, OpenAiChatUsage* usage) {
            return SimdjsonParseUsage(parser.get(), json, usage);
          }));
}

bool IsCompact(SeedSet set) {
  return set != SeedSet::kPretty && set != SeedSet::kShuffled;
}

void AddSeed(const std::string& name, SeedSet set, Interleaved* race) {
  const std::string read_title = "read seed, " + name;
  const std::string write_title = "write seed, " + name;
  if (!race->Wants(read_title) && !race->Wants(write_title)) return;
  const SeedDocuments documents = MakeSeedDocuments(set);
  Row<std::string> read(read_title, documents.json, race);
  const std::vector<std::string>& shuffled = read.items();
  read.Add("tokenusage", ReadPass<SeedMessage>(shuffled, Read));
  read.Add("simdjson",
           ReadPass<SeedMessage>(
               shuffled, [parser = std::make_shared<parser>()](
                             const std::string& json, SeedMessage* message) {
                 message->Clear();
                 return SimdjsonParse(parser.get(), json, message);
               }));
  if (IsCompact(set)) {
    read.Add("yardstick",
             ReadPass<SeedMessage>(
                 shuffled, [](const std::string& json, SeedMessage* message) {
                   return YardstickParse(json.data(), json.size(), message);
                 }));
  }
  read.Add("protobuf", ReadPass<SeedMessage>(shuffled, ProtobufRead));
  read.Add("reflection", ReflectionPass(shuffled, SeedMessage()));
  if (!IsCompact(set)) return;

  Row<SeedMessage> write(write_title, documents.messages, race);
  write.Add("tokenusage", WritePass<SeedMessage>(write.items(), Write));
  write.Add("yardstick",
            WritePass<SeedMessage>(write.items(),
                                   [](const SeedMessage& m, std::string* out) {
                                     YardstickAppend(m, out);
                                     return true;
                                   }));
  write.Add("rapidjson",
            WritePass<SeedMessage>(write.items(),
                                   [](const SeedMessage& m, std::string* out) {
                                     return RapidJsonAppend(m, out);
                                   }));
  write.Add("protobuf", WritePass<SeedMessage>(write.items(), ProtobufWrite));
}

void AddResponse(Interleaved* race) {
  const std::string row = "read in a 1 MB response";
  if (!race->Wants(row)) return;
  static const auto& response =
      *new std::string(MakeSeedDocuments(SeedSet::kMoney).response);
  race->Add(row, "tokenusage", 1, [message = std::make_shared<SeedMessage>()] {
    return std::size_t{ReadUsage(response, message.get())};
  });
  race->Add(row, "simdjson", 1,
            [message = std::make_shared<SeedMessage>(),
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
