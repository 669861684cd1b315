// Every contender of the benchmark reads and writes the data sets rightly.

#include <string>

#include "data_sets.h"
#include "gtest/gtest.h"
#include "peers.h"
#include "tokenusage/json/json.h"
#include "yardstick.h"

namespace tokenusage {
namespace {

class ContendersTest : public testing::TestWithParam<DataSet> {
 protected:
  const Documents documents_ = MakeDocuments(GetParam());
};

template <typename Parse>
void ExpectReads(const Documents& documents, Parse parse) {
  for (std::size_t i = 0; i < kMessageCount; ++i) {
    SeedMessage message;
    ASSERT_TRUE(parse(documents.json[i], &message)) << documents.json[i];
    ASSERT_EQ(message.SerializeAsString(),
              documents.messages[i].SerializeAsString())
        << documents.json[i];
  }
}

TEST_P(ContendersTest, ReadWhatWasWritten) {
  simdjson::ondemand::parser parser;
  ExpectReads(documents_, [](const std::string& json, SeedMessage* message) {
    return ParseJson(json, message).ok();
  });
  ExpectReads(documents_, [](const std::string& json, SeedMessage* message) {
    return ParsePaddedJson(json, message).ok();
  });
  ExpectReads(documents_, [&](const std::string& json, SeedMessage* message) {
    return SimdjsonParse(&parser, json, message);
  });
  ExpectReads(documents_, RapidJsonParse);
  ExpectReads(documents_, NlohmannParse);
  ExpectReads(documents_, ProtobufParse);
  if (GetParam() != DataSet::kPretty && GetParam() != DataSet::kShuffled) {
    ExpectReads(documents_, [](const std::string& json, SeedMessage* message) {
      return YardstickParse(json.data(), json.size(), message);
    });
  }
}

TEST_P(ContendersTest, WriteTheSameBytes) {
  if (GetParam() == DataSet::kPretty || GetParam() == DataSet::kShuffled) {
    GTEST_SKIP() << "nobody writes these";
  }
  for (std::size_t i = 0; i < kMessageCount; ++i) {
    std::string ours;
    ASSERT_TRUE(AppendJson(documents_.messages[i], &ours).ok());
    ASSERT_EQ(ours, documents_.json[i]);
    std::string limit;
    YardstickAppend(documents_.messages[i], &limit);
    ASSERT_EQ(limit, documents_.json[i]);
  }
}

TEST_P(ContendersTest, FindUsageInLinesAndResponses) {
  simdjson::ondemand::parser parser;
  SeedMessage message;
  EXPECT_EQ(SimdjsonParseLines(&parser, documents_.lines, &message),
            static_cast<int>(kMessageCount));
  if (GetParam() != DataSet::kPretty) {  // has several lines to a document
    JsonLinesReader lines(documents_.lines);
    for (const SeedMessage& expected : documents_.messages) {
      ASSERT_TRUE(lines.Next(&message));
      ASSERT_TRUE(lines.status().ok()) << lines.status();
      ASSERT_EQ(message.SerializeAsString(), expected.SerializeAsString());
    }
    EXPECT_FALSE(lines.Next(&message));
  }
  for (const bool ours : {true, false}) {
    message.Clear();
    EXPECT_TRUE(
        ours ? ParseJsonAt(documents_.response, "usage", &message).ok()
             : SimdjsonParseUsage(&parser, documents_.response, &message));
    EXPECT_EQ(message.SerializeAsString(),
              documents_.messages[0].SerializeAsString());
  }
}

INSTANTIATE_TEST_SUITE_P(DataSets, ContendersTest,
                         testing::Values(DataSet::kMoney, DataSet::kInts,
                                         DataSet::kFull, DataSet::kPretty,
                                         DataSet::kShuffled));

}  // namespace
}  // namespace tokenusage
