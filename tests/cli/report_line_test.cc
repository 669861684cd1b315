// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/cli/client/report_line.h"

#include <string>

#include "gtest/gtest.h"
#include "tokenusage/cli/message_types.h"
#include "tokenusage/json/json.h"

namespace tokenusage {
namespace {

constexpr char kUsage[] =
    R"({"total_tokens":100,"input_tokens":50,"output_tokens":50,)"
    R"("input_tokens_details":{"text_tokens":10,"image_tokens":40}})";

class ReportLineTest : public testing::Test {
 protected:
  void SetUp() override {
    format_.usage_field = *FindUsageField("PostV2ProxyImagesEditsUsage");
    format_.defaults.set_record_id("file:{line}");
    format_.defaults.mutable_event_time()->set_seconds(1750000000);
    format_.defaults.set_operation("images.edits");
    format_.defaults.set_model("gpt-image-1");
    (*format_.defaults.mutable_labels())["team"] = "web";
  }

  // The record of line 7, as JSON; the error where there is none.
  std::string Parse(const std::string& line) {
    const auto record = ParseReportLine(line, 7, format_);
    if (!record.ok()) return std::string(record.status().message());
    return *WriteJson(*record);
  }

  ReportLineFormat format_;
};

TEST_F(ReportLineTest, TakesTheFlagsWhereTheLineSaysNothing) {
  const std::string expected =
      R"({"record_id":"file:7","event_time":"2025-06-15T15:06:40Z",)"
      R"("operation":"images.edits","provider":"","model":"gpt-image-1",)"
      R"("labels":{"team":"web"},"images_edits":)" +
      std::string(kUsage) + "}";
  EXPECT_EQ(Parse(kUsage), expected);
  EXPECT_EQ(Parse(std::string(R"({"usage":)") + kUsage + "}"), expected);
  format_.ignore_unknown = true;
  EXPECT_EQ(Parse(std::string(R"({"request_ms":12,"usage":)") + kUsage + "}"),
            expected);
}

TEST_F(ReportLineTest, RefusesWhatMayBeMisspelt) {
  const std::string usage = std::string(R"("usage":)") + kUsage;
  EXPECT_NE(Parse(R"({"modle":"m",)" + usage + "}").find("\"modle\""),
            std::string::npos);
  EXPECT_NE(Parse("{" + usage + R"( , "lables" : {"a":"b"}})").find("lables"),
            std::string::npos);
  // Names and brackets within values are none of the envelope's names.
  EXPECT_NE(
      Parse(R"({"labels":{"modle":"\"}]:"},"recordId":"a",)" + usage + "}")
          .find(R"("record_id":"a")"),
      std::string::npos);
}

TEST_F(ReportLineTest, RefusesAnEnvelopesMembersBesideTheCounts) {
  std::string line = kUsage;
  line.insert(1, R"("model":"m",)");
  EXPECT_NE(Parse(line).find("\"model\" beside them"), std::string::npos);
}

TEST_F(ReportLineTest, AnEmptyTextInAnEnvelopeIsSaid) {
  EXPECT_NE(Parse(std::string(R"({"model":"","usage":)") + kUsage + "}")
                .find(R"("model":"")"),
            std::string::npos);
}

TEST_F(ReportLineTest, LetsTheLineWin) {
  EXPECT_EQ(
      Parse(std::string(
                R"({"record_id":"a","event_time":"2025-01-01T00:00:00.5Z",)"
                R"("operation":"x","provider":"p","model":"m",)"
                R"("labels":{"team":"ios","tier":"free"},"usage":)") +
            kUsage + "}"),
      std::string(R"({"record_id":"a","event_time":"2025-01-01T00:00:00.500Z",)"
                  R"("operation":"x","provider":"p","model":"m",)"
                  R"("labels":{"team":"ios","tier":"free"},"images_edits":)") +
          kUsage + "}");
}

TEST_F(ReportLineTest, ReadsWhatItPrinted) {
  const std::string record = Parse(kUsage);
  ReportLineFormat records;
  const auto again = ParseReportLine(record, 1, records);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(*WriteJson(*again), record);
}

TEST_F(ReportLineTest, NamesWhatIsMissingAndItsFlag) {
  format_.defaults.clear_record_id();
  EXPECT_NE(Parse(kUsage).find("--record-id"), std::string::npos);
  format_.defaults.set_record_id("a");
  format_.defaults.clear_event_time();
  EXPECT_NE(Parse(kUsage).find("--event-time"), std::string::npos);
  format_.defaults.mutable_event_time();
  format_.defaults.clear_operation();
  EXPECT_NE(Parse(kUsage).find("--operation"), std::string::npos);
}

TEST_F(ReportLineTest, NamesTheFieldThatIsWrong) {
  EXPECT_NE(Parse(R"({"usage":{"total_tokens":"abc"}})").find("total_tokens"),
            std::string::npos);
  EXPECT_NE(Parse(R"({"total_tokens":null})").find("total_tokens"),
            std::string::npos);
  EXPECT_NE(Parse(std::string(R"({"record_id":5,"usage":)") + kUsage + "}")
                .find("record_id"),
            std::string::npos);
  format_.usage_field = nullptr;
  EXPECT_NE(Parse(kUsage).find("--message"), std::string::npos);
}

}  // namespace
}  // namespace tokenusage
