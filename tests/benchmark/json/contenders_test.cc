// SPDX-License-Identifier: Apache-2.0
//
// Tests that every contender reads and writes the data sets correctly.

#include <cstddef>
#include <string>
#include <vector>

#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"
#include "tests/benchmark/json/seed_documents.h"
#include "tests/benchmark/json/seed_peers.h"
#include "tests/benchmark/json/usage_documents.h"
#include "tests/benchmark/json/usage_peers.h"
#include "tests/benchmark/json/yardstick.h"
#include "tests/support/status_matchers.h"
#include "tokenusage/json/json.h"

namespace tokenusage {
namespace {

using testing::IsOk;

class SeedContendersTest : public ::testing::TestWithParam<SeedSet> {
 protected:
  bool IsCompact() const {
    return GetParam() != SeedSet::kPretty && GetParam() != SeedSet::kShuffled;
  }

  const SeedDocuments documents_ = MakeSeedDocuments(GetParam());
};

template <typename Parse>
void ExpectReads(const SeedDocuments& documents, Parse parse) {
  for (std::size_t i = 0; i < kSeedCount; ++i) {
    SeedMessage message;
    ASSERT_TRUE(parse(documents.json[i], &message)) << documents.json[i];
    ASSERT_EQ(message.SerializeAsString(),
              documents.messages[i].SerializeAsString())
        << documents.json[i];
  }
}

TEST_P(SeedContendersTest, ReadWhatWasWritten) {
  simdjson::ondemand::parser parser;
  ExpectReads(documents_, [](const std::string& json, SeedMessage* message) {
    return ParseJson(json, message).ok();
  });
  ExpectReads(documents_, [&](const std::string& json, SeedMessage* message) {
    return SimdjsonParse(&parser, json, message);
  });
  ExpectReads(documents_, RapidJsonParse);
  if (!IsCompact()) return;
  ExpectReads(documents_, [](const std::string& json, SeedMessage* message) {
    return YardstickParse(json.data(), json.size(), message);
  });
}

TEST_P(SeedContendersTest, WriteTheSameBytes) {
  if (!IsCompact()) GTEST_SKIP() << "nobody writes these";
  for (std::size_t i = 0; i < kSeedCount; ++i) {
    std::string ours, yardstick;
    ASSERT_THAT(AppendJson(documents_.messages[i], &ours), IsOk());
    ASSERT_EQ(ours, documents_.json[i]);
    YardstickAppend(documents_.messages[i], &yardstick);
    ASSERT_EQ(yardstick, documents_.json[i]);
  }
}

TEST_P(SeedContendersTest, FindUsageInResponses) {
  simdjson::ondemand::parser parser;
  for (const bool ours : {true, false}) {
    SeedMessage message;
    EXPECT_TRUE(
        ours ? ParseJsonAt(documents_.response, "usage", &message).ok()
             : SimdjsonParseUsage(&parser, documents_.response, &message));
    EXPECT_EQ(message.SerializeAsString(),
              documents_.messages[0].SerializeAsString());
  }
}

INSTANTIATE_TEST_SUITE_P(SeedSets, SeedContendersTest,
                         ::testing::Values(SeedSet::kMoney, SeedSet::kInts,
                                           SeedSet::kFull, SeedSet::kPretty,
                                           SeedSet::kShuffled));

// Expects that tokenusage and simdjson read what protobuf's own JSON reads, and
// that tokenusage writes what RapidJSON writes.
template <typename Usage>
void ExpectUsage(UsageSet set, bool written_as_is) {
  simdjson::ondemand::parser parser;
  for (const std::string& json : MakeUsageDocuments(set)) {
    Usage expected, ours, simdjson;
    ASSERT_TRUE(
        ::google::protobuf::util::JsonStringToMessage(json, &expected).ok())
        << json;
    const std::string bits = expected.SerializeAsString();
    ASSERT_THAT(ParseJson(json, &ours), IsOk()) << json;
    ASSERT_EQ(ours.SerializeAsString(), bits) << json;
    ASSERT_TRUE(SimdjsonParse(&parser, json, &simdjson)) << json;
    ASSERT_EQ(simdjson.SerializeAsString(), bits) << json;
    std::string our_json, rapidjson_json;
    ASSERT_THAT(AppendJson(expected, &our_json), IsOk());
    ASSERT_TRUE(RapidJsonAppend(expected, &rapidjson_json));
    ASSERT_EQ(our_json, rapidjson_json);
    if (written_as_is) {
      ASSERT_EQ(our_json, json);
    }
  }
}

TEST(UsageContendersTest, ReadAndWrite) {
  ExpectUsage<OpenAiChatUsage>(UsageSet::kOpenAiChat, true);
  ExpectUsage<OpenAiChatUsage>(UsageSet::kOpenAiChatFull, true);
  ExpectUsage<OpenAiChatUsage>(UsageSet::kOpenAiChatIndented, false);
  ExpectUsage<OpenAiResponsesUsage>(UsageSet::kOpenAiResponses, true);
  ExpectUsage<AnthropicUsage>(UsageSet::kAnthropic, false);
  ExpectUsage<GeminiUsage>(UsageSet::kGemini, true);
  ExpectUsage<BedrockUsage>(UsageSet::kBedrock, true);
}

TEST(UsageContendersTest, FindUsageInReplies) {
  simdjson::ondemand::parser parser;
  for (const ReplyText text : {ReplyText::kPlain, ReplyText::kFewEscapes,
                               ReplyText::kAccents, ReplyText::kManyEscapes}) {
    for (const std::string& json : MakeChatReplies(text)) {
      OpenAiChatUsage ours, simdjson;
      ASSERT_THAT(ParseJsonAt(json, "usage", &ours), IsOk()) << json;
      ASSERT_TRUE(SimdjsonParseUsage(&parser, json, &simdjson)) << json;
      ASSERT_EQ(ours.SerializeAsString(), simdjson.SerializeAsString());
    }
  }
}

}  // namespace
}  // namespace tokenusage
