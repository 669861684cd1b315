// That the tables carry what they should: valid documents and messages are
// read and written by them, without falling back on Reflection, and both say
// the same of damaged ones.

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "tests/json/goldens.h"
#include "tests/json/messages.h"
#include "tests/support/seed.h"
#include "tokenusage/json/json.h"
#include "tokenusage/json/message_table.h"
#include "tokenusage/json/table_reader.h"
#include "tokenusage/json/table_writer.h"

namespace tokenusage {
namespace {

using google::protobuf::Message;
using json_internal::FindTable;
using json_internal::MessageTable;
using testing::Bits;
using testing::Golden;

// Valid documents whose message has a table.
std::vector<Golden> GoldensWithTables() {
  std::vector<Golden> found;
  for (Golden& golden : testing::ReadGoldens()) {
    if (!golden.error.empty()) continue;
    const auto messages = testing::NewMessages(golden.message_type);
    if (FindTable(*messages[0]) != nullptr) found.push_back(std::move(golden));
  }
  return found;
}

TEST(TableTest, CompiledInMessagesHaveOneAndDynamicOnesNone) {
  for (const char* type : {"Singular", "Plain", "Repeated", "Maps", "Choice",
                           "Tree", "WireNames", "Wide"}) {
    const auto messages =
        testing::NewMessages(std::string("tokenusage.testing.") + type);
    EXPECT_NE(FindTable(*messages[0]), nullptr) << type;
    EXPECT_EQ(FindTable(*messages[1]), nullptr) << type;
  }
}

TEST(TableTest, ReadsAndWritesAllValidDocuments) {
  int count = 0;
  for (const Golden& golden : GoldensWithTables()) {
    // Escapes in a number are left to Reflection.
    const bool left = golden.name == "valid/numbers_as_strings";
    const auto messages = testing::NewMessages(golden.message_type);
    const MessageTable& table = *FindTable(*messages[0]);
    const std::unique_ptr<Message> expected(messages[0]->New());
    ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(
        golden.message_text, expected.get()));
    for (const bool padded : {false, true}) {
      std::string json = golden.json;
      json.append(kJsonPadding, '1');
      json_internal::TableReadOptions options;
      options.padded = padded;
      if (!json_internal::ReadByTable(
              std::string_view(json).substr(0, golden.json.size()), "", table,
              options, messages[0].get())) {
        EXPECT_TRUE(left) << golden.name;
        continue;
      }
      EXPECT_EQ(Bits(*messages[0]), Bits(*expected)) << golden.name;
      ++count;
    }
    std::string by_table, by_reflection;
    ASSERT_TRUE(json_internal::WriteByTable(*expected, table, &by_table))
        << golden.name;
    ASSERT_TRUE(messages[1]->ParsePartialFromString(Bits(*expected)));
    ASSERT_TRUE(AppendJson(*messages[1], &by_reflection).ok());
    EXPECT_EQ(by_table, by_reflection);
  }
  EXPECT_GT(count, 40);
}

TEST(TableTest, OverwritesWhateverTheMessageHeld) {
  const std::vector<Golden> goldens = GoldensWithTables();
  for (const Golden& before : goldens) {
    for (const Golden& after : goldens) {
      if (before.message_type != after.message_type) continue;
      const auto messages = testing::NewMessages(after.message_type);
      Message* const message = messages[0].get();
      ASSERT_TRUE(ParseJson(before.json, message).ok());
      message->GetReflection()->MutableUnknownFields(message)->AddVarint(999,
                                                                         1);
      ASSERT_TRUE(ParseJson(after.json, message).ok());
      const std::unique_ptr<Message> fresh(message->New());
      ASSERT_TRUE(ParseJson(after.json, fresh.get()).ok());
      EXPECT_EQ(Bits(*message), Bits(*fresh))
          << before.name << ", then " << after.name;
    }
  }
}

// Damages documents and reads them by table and by Reflection.
TEST(TableTest, SaysWhatReflectionSays) {
  std::mt19937_64 random(testing::TestSeed());
  const std::vector<Golden> goldens = GoldensWithTables();
  const std::string letters = "{}[]\",:\\0123456789-+.eE ntu\xC3\xA9\x01";
  int accepted = 0;
  for (int round = 0; round < 20000; ++round) {
    const Golden& golden = goldens[random() % goldens.size()];
    std::string json = golden.json;
    for (std::uint64_t edits = random() % 3; edits > 0; --edits) {
      const std::size_t at = random() % json.size();
      const char letter = letters[random() % letters.size()];
      switch (random() % 4) {
        case 0:
          json[at] = letter;
          break;
        case 1:
          json.insert(at, 1, letter);
          break;
        case 2:
          json.erase(at, 1 + random() % 3);
          break;
        default:
          json.insert(at, json, random() % json.size(), random() % 20);
      }
      if (json.empty()) json = " ";
    }
    const auto messages = testing::NewMessages(golden.message_type);
    const absl::Status by_table = ParseJson(json, messages[0].get());
    const absl::Status by_reflection = ParseJson(json, messages[1].get());
    ASSERT_EQ(by_table, by_reflection) << json;
    ASSERT_EQ(Bits(*messages[0]), Bits(*messages[1])) << json;
    // The padding looks like more of the document.
    const std::string padded = json + "99999}}" + std::string(64, '}');
    const absl::Status status = ParsePaddedJson(
        std::string_view(padded.data(), json.size()), messages[0].get());
    ASSERT_EQ(status, by_reflection) << json;
    ASSERT_EQ(Bits(*messages[0]), Bits(*messages[1])) << json;
    accepted += status.ok();
  }
  EXPECT_GT(accepted, 1000);
}

}  // namespace
}  // namespace tokenusage
