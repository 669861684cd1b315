// SPDX-License-Identifier: Apache-2.0
//
// Tests that generated code reads and writes all valid golden documents without
// falling back on Reflection, and that the two agree on damaged documents.

#include "tokenusage/json/internal/generated_message.h"

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
#include "tests/support/status_matchers.h"
#include "tokenusage/json/json.h"

namespace tokenusage {
namespace {

using ::google::protobuf::Message;
using json_internal::GeneratedMessage;
using json_internal::Registration;
using testing::Bits;
using testing::Golden;
using testing::IsOk;

// Returns the valid documents whose message has generated code.
std::vector<Golden> GoldensWithCode() {
  std::vector<Golden> found;
  for (Golden& golden : testing::ReadGoldens()) {
    if (!golden.error.empty()) continue;
    const auto messages = testing::NewMessages(golden.message_type);
    if (Registration::Find(*messages[0]) != nullptr)
      found.push_back(std::move(golden));
  }
  return found;
}

TEST(GeneratedMessageTest, CompiledInMessagesHaveCodeAndDynamicOnesNone) {
  for (const char* type : {"Singular", "Plain", "Repeated", "Maps", "Choice",
                           "Tree", "WireNames", "Wide"}) {
    const auto messages =
        testing::NewMessages(std::string("tokenusage.testing.") + type);
    EXPECT_NE(Registration::Find(*messages[0]), nullptr) << type;
    EXPECT_EQ(Registration::Find(*messages[1]), nullptr) << type;
  }
}

TEST(GeneratedMessageTest, ReadsAndWritesAllValidDocuments) {
  int count = 0;
  for (const Golden& golden : GoldensWithCode()) {
    const auto messages = testing::NewMessages(golden.message_type);
    const GeneratedMessage& code = *Registration::Find(*messages[0]);
    const std::unique_ptr<Message> expected(messages[0]->New());
    ASSERT_TRUE(::google::protobuf::TextFormat::ParseFromString(
        golden.message_text, expected.get()));
    EXPECT_TRUE(code.read(golden.json, "", false, messages[0].get()))
        << golden.name;
    EXPECT_EQ(Bits(*messages[0]), Bits(*expected)) << golden.name;
    std::string by_code, by_reflection;
    ASSERT_TRUE(code.write(*expected, &by_code)) << golden.name;
    ASSERT_TRUE(messages[1]->ParsePartialFromString(Bits(*expected)));
    ASSERT_THAT(AppendJson(*messages[1], &by_reflection), IsOk());
    EXPECT_EQ(by_code, by_reflection);
    ++count;
  }
  EXPECT_GT(count, 25);
}

TEST(GeneratedMessageTest, OverwritesWhateverTheMessageHeld) {
  const std::vector<Golden> goldens = GoldensWithCode();
  for (const Golden& before : goldens) {
    for (const Golden& after : goldens) {
      if (before.message_type != after.message_type) continue;
      const auto messages = testing::NewMessages(after.message_type);
      Message* const message = messages[0].get();
      ASSERT_THAT(ParseJson(before.json, message), IsOk());
      message->GetReflection()->MutableUnknownFields(message)->AddVarint(999,
                                                                         1);
      ASSERT_THAT(ParseJson(after.json, message), IsOk());
      const std::unique_ptr<Message> fresh(message->New());
      ASSERT_THAT(ParseJson(after.json, fresh.get()), IsOk());
      EXPECT_EQ(Bits(*message), Bits(*fresh))
          << before.name << ", then " << after.name;
    }
  }
}

// Damages documents and reads them by generated code and by Reflection.
TEST(GeneratedMessageTest, SaysWhatReflectionSays) {
  std::mt19937_64 random(testing::TestSeed());
  const std::vector<Golden> goldens = GoldensWithCode();
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
    const absl::Status by_code = ParseJson(json, messages[0].get());
    const absl::Status by_reflection = ParseJson(json, messages[1].get());
    ASSERT_EQ(by_code, by_reflection) << json;
    ASSERT_EQ(Bits(*messages[0]), Bits(*messages[1])) << json;
    accepted += by_code.ok();
  }
  EXPECT_GT(accepted, 1000);
}

}  // namespace
}  // namespace tokenusage
