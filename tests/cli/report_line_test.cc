// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/cli/report/report_line.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tokenusage/cli/message_types.h"
#include "tokenusage/json/json.h"

namespace tokenusage {
namespace {

using ::testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;

constexpr char kUsage[] =
    R"({"total_tokens":100,"input_tokens":50,"output_tokens":50,)"
    R"("input_tokens_details":{"text_tokens":10,"image_tokens":40}})";

class ReportLineTest : public ::testing::Test {
 protected:
  void SetUp() override {
    format_.usage_field = *FindUsageField("PostV2ProxyImagesEditsUsage");
    format_.defaults.set_record_id("file:{line}");
    format_.defaults.mutable_event_time()->set_seconds(1750000000);
    format_.defaults.set_operation("images.edits");
    format_.defaults.set_model("gpt-image-1");
    (*format_.defaults.mutable_labels())["team"] = "web";
  }

  absl::StatusOr<v1::UsageRecord> Parse(const std::string& line) const {
    return ReportLineParser(format_).Parse(line, 7);
  }

  // Returns the record of line 7 as JSON, or the error.
  std::string ParseToJson(const std::string& line) const {
    const auto record = Parse(line);
    if (!record.ok()) return std::string(record.status().message());
    return *WriteJson(*record);
  }

  ReportLineFormat format_;
};

// Returns an envelope with these members before its usage.
std::string Envelope(const std::string& members) {
  return "{" + members + R"("usage":)" + kUsage + "}";
}

auto IsInvalid(const std::string& words) {
  return StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(words));
}

TEST_F(ReportLineTest, TakesTheFlagsIfTheLineSaysNothing) {
  const std::string expected =
      R"({"record_id":"file:7","event_time":"2025-06-15T15:06:40Z",)"
      R"("operation":"images.edits","provider":"","model":"gpt-image-1",)"
      R"("labels":{"team":"web"},"orq_images_edits":)" +
      std::string(kUsage) + "}";
  EXPECT_EQ(ParseToJson(kUsage), expected);
  EXPECT_EQ(ParseToJson(Envelope("")), expected);
  EXPECT_EQ(ParseToJson(Envelope(R"("model":"",)")), expected);
  format_.ignore_unknown = true;
  EXPECT_EQ(ParseToJson(Envelope(R"("request_ms":12,)")), expected);
}

TEST_F(ReportLineTest, RefusesWhatMayBeMisspelt) {
  EXPECT_THAT(Parse(Envelope(R"("modle":"m",)")), IsInvalid("\"modle\""));
  EXPECT_THAT(Parse(std::string(R"({"usage":)") + kUsage +
                    R"( , "lables" : {"a":"b"}})"),
              IsInvalid("lables"));
  // Names and brackets within values do not belong to the envelope.
  EXPECT_THAT(
      ParseToJson(Envelope(R"("labels":{"modle":"\"}]:"},"recordId":"a",)")),
      HasSubstr(R"("record_id":"a")"));
}

// Some senders escape characters in names, which stay the same names.
TEST_F(ReportLineTest, TakesEscapedMemberNames) {
  std::string usage = kUsage;
  usage.insert(1, R"("input_\u0074okens_saved":1,)");
  EXPECT_THAT(ParseToJson(R"({"mod\u0065l":"m","usage":)" + usage + "}"),
              HasSubstr(R"("model":"m")"));
  EXPECT_THAT(Parse(R"({"mod\u0065ll":"m","usage":)" + usage + "}"),
              IsInvalid("\"modell\""));
}

TEST_F(ReportLineTest, TakesWhatProvidersAddToTheirUsage) {
  std::string usage = kUsage;
  usage.insert(1, R"("cached_tokens":7,)");
  EXPECT_EQ(ParseToJson(usage), ParseToJson(kUsage));
  EXPECT_EQ(ParseToJson(R"({"usage":)" + usage + "}"), ParseToJson(kUsage));
  EXPECT_THAT(Parse(R"({"usage":)" + usage + R"(,"modle":"m"})"),
              IsInvalid("\"modle\""));
}

TEST_F(ReportLineTest, RefusesAnEnvelopesMembersBesideTheCounts) {
  std::string line = kUsage;
  line.insert(1, R"("model":"m",)");
  EXPECT_THAT(Parse(line), IsInvalid("\"model\" beside the counts"));
}

TEST_F(ReportLineTest, LetsTheLineWin) {
  format_.defaults.mutable_event_time()->set_nanos(7);
  EXPECT_EQ(
      ParseToJson(
          Envelope(R"("record_id":"a","event_time":"2025-01-01T00:00:00Z",)"
                   R"("operation":"x","provider":"p","model":"m",)"
                   R"("labels":{"team":"ios","tier":"free"},)"
                   R"("usage_json":"{}",)")),
      std::string(R"({"record_id":"a","event_time":"2025-01-01T00:00:00Z",)"
                  R"("operation":"x","provider":"p","model":"m",)"
                  R"("labels":{"team":"ios","tier":"free"},"usage_json":"{}",)"
                  R"("orq_images_edits":)") +
          kUsage + "}");
}

TEST_F(ReportLineTest, ReadsWhatItPrinted) {
  const std::string record = ParseToJson(kUsage);
  format_ = ReportLineFormat();
  EXPECT_EQ(ParseToJson(record), record);
}

TEST_F(ReportLineTest, NamesWhatIsMissingAndItsFlag) {
  format_.defaults.clear_record_id();
  EXPECT_THAT(Parse(kUsage), IsInvalid("--record-id"));
  format_.defaults.set_record_id("a");
  format_.defaults.clear_event_time();
  EXPECT_THAT(Parse(kUsage), IsInvalid("--event-time"));
  format_.defaults.mutable_event_time();
  format_.defaults.clear_operation();
  EXPECT_THAT(Parse(kUsage), IsInvalid("--operation"));
}

TEST_F(ReportLineTest, RefusesAnOperationOfAnotherKindOfUsage) {
  EXPECT_THAT(Parse(Envelope(R"("operation":"images.variations",)")),
              IsInvalid("operation: expected images.edits"));
  format_.defaults.set_operation("images.variations");
  EXPECT_THAT(Parse(kUsage), IsInvalid("found images.variations"));
  format_.usage_field = *FindUsageField("PostV2ProxyImagesVariationsUsage");
  EXPECT_THAT(Parse(kUsage), IsOk());
}

// The operation is the rest of the field's name after the provider, whose name
// may have an underscore.
TEST_F(ReportLineTest, TakesAChatOfACompatibleServer) {
  format_.usage_field = *FindUsageField("openai_compatible.v1.ChatUsage");
  format_.defaults.set_operation("chat");
  EXPECT_THAT(Parse(R"({"prompt_tokens":1})"), IsOk());
}

TEST_F(ReportLineTest, NamesTheFieldThatIsWrong) {
  EXPECT_THAT(Parse(R"({"usage":{"total_tokens":"abc"}})"),
              IsInvalid("usage.total_tokens"));
  EXPECT_THAT(Parse(R"({"total_tokens":null})"), IsInvalid("total_tokens"));
  EXPECT_THAT(Parse(Envelope(R"("record_id":5,)")), IsInvalid("record_id"));
  EXPECT_THAT(Parse(R"({"usage":null})"), IsInvalid("null"));
  EXPECT_THAT(Parse(R"({"record_id":"a","usage":null})"), IsInvalid("null"));
}

TEST_F(ReportLineTest, TellsAForgottenMessageFromABadRecord) {
  const auto forgotten =
      StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("--message"));
  format_.usage_field = nullptr;
  EXPECT_THAT(Parse(kUsage), forgotten);
  EXPECT_THAT(Parse(Envelope(R"("record_id":"a",)")), forgotten);
  EXPECT_THAT(Parse(R"({"record_id":"a","modle":"m"})"), IsInvalid("modle"));
  EXPECT_THAT(Parse(R"({"record_id":"a"})"), IsInvalid("usage"));
  format_.ignore_unknown = true;
  EXPECT_THAT(Parse(kUsage), forgotten);
}

TEST_F(ReportLineTest, TakesARecordThatTakesAnotherBack) {
  format_.usage_field = nullptr;
  const auto record = Parse(R"({"record_id":"v","corrects":"a"})");
  ASSERT_THAT(record, IsOk());
  EXPECT_EQ(record->corrects(), "a");
  EXPECT_THAT(Parse(R"({"record_id":"v"})"), IsInvalid("usage"));
}

}  // namespace
}  // namespace tokenusage
