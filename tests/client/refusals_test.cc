// SPDX-License-Identifier: Apache-2.0

// Tests how a reporter handles records that the service refuses.

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/client/support/fakes.h"
#include "tests/client/usage_reporter_test.h"
#include "tests/support/status_matchers.h"

namespace tokenusage {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using testing::Eventually;
using testing::Failure;
using testing::FakeClock;
using ::testing::HasSubstr;
using testing::IsOk;
using ::testing::Not;
using testing::NumberedRecord;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

TEST_F(UsageReporterTest, SplitsARefusedBatchDownToTheGuiltyRecord) {
  service_.SetFault(
      [](const v1::ReportUsageRequest& request) -> std::optional<ReportResult> {
        for (const v1::UsageRecord& record : request.records()) {
          if (record.record_id() == "r7" || record.record_id() == "r50") {
            return Failure(absl::StatusCode::kInvalidArgument,
                           "REQUEST_MALFORMED");
          }
        }
        return std::nullopt;
      });
  std::vector<std::string> refused;
  UsageReporterOptions options = Options(Durability::kProcess);
  options.on_refused = [&](const v1::UsageRecord& record,
                           const v1::RecordError& error) {
    const std::lock_guard lock(mutex_);
    refused.push_back(record.record_id() + " " + error.message());
  };
  ASSERT_OK_AND_ASSIGN(const auto reporter, Start(options));
  for (int i = 0; i < 100; ++i) {
    ASSERT_THAT(reporter->Report(NumberedRecord(i)), IsOk());
  }
  ASSERT_THAT(reporter->Stop(kLong), IsOk());
  EXPECT_THAT(service_.records(), SizeIs(98));
  EXPECT_EQ(reporter->counters().refused, 2);
  EXPECT_THAT(refused, UnorderedElementsAre(
                           "r7 REQUEST_MALFORMED: as the test wants it",
                           "r50 REQUEST_MALFORMED: as the test wants it"));
  EXPECT_THAT(files_.Content("spool/refused.jsonl"),
              AllOf(HasSubstr("\"record_id\":\"r7\""),
                    HasSubstr("\"record_id\":\"r50\"")));
}

TEST_F(UsageReporterTest, SplitsABatchThatIsTooLargeForTheTransport) {
  service_.SetFault(
      [](const v1::ReportUsageRequest& request) -> std::optional<ReportResult> {
        if (request.records_size() <= 30) return std::nullopt;
        return Failure(absl::StatusCode::kResourceExhausted);
      });
  ASSERT_OK_AND_ASSIGN(const auto reporter,
                       Start(Options(Durability::kMemory)));
  for (int i = 0; i < 1000; ++i) {
    ASSERT_THAT(reporter->Report(NumberedRecord(i)), IsOk());
  }
  ASSERT_THAT(reporter->Stop(kLong), IsOk());
  EXPECT_THAT(service_.records(), SizeIs(1000));
}

TEST_F(UsageReporterTest, KeepsARefusedRecordWithItsReason) {
  service_.RefuseRecord("r1");
  ASSERT_OK_AND_ASSIGN(const auto reporter, Start(Options(Durability::kDisk)));
  for (int i = 0; i < 3; ++i) {
    ASSERT_THAT(reporter->Report(NumberedRecord(i)), IsOk());
  }
  ASSERT_THAT(reporter->Stop(kLong), IsOk());
  EXPECT_THAT(service_.records(), SizeIs(2));
  const std::string line = files_.Content("spool/refused.jsonl");
  EXPECT_THAT(line, HasSubstr("RECORD_ERROR_REASON_RECORD_ID_CONFLICT"));
  EXPECT_THAT(line, HasSubstr("\"operation\":\"images.edits\""));
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
  EXPECT_EQ(reporter->counters().unkept_refused, 0);
}

// Reports the record r0 and its correction r1, whose batch overtakes that of
// r0.
TEST_F(UsageReporterTest, SendsACorrectionThatWasTooEarlyAgain) {
  std::atomic<bool> is_refused{false};
  service_.SetFault([&](const v1::ReportUsageRequest& request)
                        -> std::optional<ReportResult> {
    if (request.records(0).corrects().empty()) {
      if (is_refused) return std::nullopt;
      return Failure(absl::StatusCode::kUnavailable);
    }
    if (service_.records().count("r0") > 0) return std::nullopt;
    is_refused = true;
    ReportResult result;
    result.response.add_errors()->set_reason(
        v1::RECORD_ERROR_REASON_CORRECTED_RECORD_NOT_FOUND);
    return result;
  });
  UsageReporterOptions options = Options(Durability::kMemory);
  options.max_batch_records = 1;
  ASSERT_OK_AND_ASSIGN(const auto reporter, Start(options));
  ASSERT_THAT(reporter->Report(NumberedRecord(0)), IsOk());
  v1::UsageRecord correction = NumberedRecord(1);
  correction.set_corrects("r0");
  ASSERT_THAT(reporter->Report(correction), IsOk());
  ASSERT_THAT(reporter->Stop(kLong), IsOk());
  EXPECT_TRUE(is_refused);
  EXPECT_THAT(service_.records(), SizeIs(2));
  EXPECT_EQ(reporter->counters().refused, 0);
}

TEST_F(UsageReporterTest, ParksACorrectionOfARecordThatNobodyReported) {
  service_.SetFault([&](const v1::ReportUsageRequest& request)
                        -> std::optional<ReportResult> {
    if (request.records(0).corrects().empty()) return std::nullopt;
    ReportResult result;
    result.response.add_errors()->set_reason(
        v1::RECORD_ERROR_REASON_CORRECTED_RECORD_NOT_FOUND);
    return result;
  });
  UsageReporterOptions options = Options(Durability::kProcess);
  options.max_batch_records = 1;
  ASSERT_OK_AND_ASSIGN(const auto reporter, Start(options));
  ASSERT_THAT(reporter->Report(NumberedRecord(0)), IsOk());
  v1::UsageRecord correction = NumberedRecord(1);
  correction.set_corrects("absent");
  ASSERT_THAT(reporter->Report(correction), IsOk());
  ASSERT_THAT(reporter->Stop(kLong), IsOk());
  EXPECT_EQ(reporter->counters().refused, 1);
  EXPECT_THAT(files_.Content("spool/refused.jsonl"), HasSubstr("\"absent\""));
}

TEST_F(UsageReporterTest, BoundsTheFileOfRefusedRecords) {
  for (int i = 0; i < 10; ++i) service_.RefuseRecord("r" + std::to_string(i));
  UsageReporterOptions options = Options(Durability::kProcess);
  options.max_refused_bytes = 1500;
  ASSERT_OK_AND_ASSIGN(const auto reporter, Start(options));
  for (int i = 0; i < 10; ++i) {
    ASSERT_THAT(reporter->Report(NumberedRecord(i)), IsOk());
  }
  ASSERT_THAT(reporter->Stop(kLong), IsOk());
  EXPECT_LE(files_.Content("spool/refused.jsonl").size(), 1500u);
  EXPECT_EQ(reporter->counters().refused, 10);
  EXPECT_GE(reporter->counters().unkept_refused, 5);
}

TEST_F(UsageReporterTest, KeepsARefusedRecordBehindALineThatWasCut) {
  const std::string cut = "{\"refuse_time\":";
  files_.SetContent("spool/refused.jsonl", cut);
  service_.RefuseRecord("r1");
  ASSERT_OK_AND_ASSIGN(const auto reporter,
                       Start(Options(Durability::kProcess)));
  ASSERT_THAT(reporter->Report(NumberedRecord(1)), IsOk());
  ASSERT_THAT(reporter->Stop(kLong), IsOk());
  const std::vector<std::string> lines =
      absl::StrSplit(files_.Content("spool/refused.jsonl"), '\n');
  EXPECT_THAT(lines, ElementsAre(cut, HasSubstr("\"record_id\":\"r1\""), ""));
}

// A failed write leaves half of a line in the file, which must not stay there.
TEST_F(UsageReporterTest, WritesARefusedRecordOnceTheDiskHasRoom) {
  service_.RefuseRecord("r1");
  ASSERT_OK_AND_ASSIGN(const auto reporter,
                       Start(Options(Durability::kProcess)));
  service_.SetFault([&](const auto&) -> std::optional<ReportResult> {
    files_.SetFailures(1);
    return std::nullopt;
  });
  ASSERT_THAT(reporter->Report(NumberedRecord(1)), IsOk());
  EXPECT_TRUE(
      Eventually([&] { return reporter->counters().failed_calls > 2; }));
  EXPECT_EQ(reporter->counters().refused, 0);
  files_.SetFailures(0);
  ASSERT_THAT(reporter->Stop(kLong), IsOk());
  const std::vector<std::string> lines =
      absl::StrSplit(files_.Content("spool/refused.jsonl"), '\n');
  EXPECT_THAT(lines, ElementsAre(HasSubstr("\"record_id\":\"r1\""), ""));
}

TEST_F(UsageReporterTest, RefusedRecordsMayBeMovedAway) {
  for (int i = 0; i < 2; ++i) service_.RefuseRecord("r" + std::to_string(i));
  ASSERT_OK_AND_ASSIGN(const auto reporter,
                       Start(Options(Durability::kProcess)));
  ASSERT_THAT(reporter->Report(NumberedRecord(0)), IsOk());
  ASSERT_THAT(reporter->Flush(kLong), IsOk());
  const std::string first = files_.Content("spool/refused.jsonl");
  EXPECT_THAT(first, HasSubstr("\"r0\""));
  EXPECT_THAT(first, Not(HasSubstr("encoded_record")));
  ASSERT_THAT(files_.Remove("spool/refused.jsonl"), IsOk());
  ASSERT_THAT(reporter->Report(NumberedRecord(1)), IsOk());
  ASSERT_THAT(reporter->Stop(kLong), IsOk());
  const std::string second = files_.Content("spool/refused.jsonl");
  EXPECT_THAT(second, HasSubstr("\"r1\""));
  EXPECT_THAT(second, Not(HasSubstr("\"r0\"")));
  EXPECT_EQ(reporter->counters().unkept_refused, 0);
}

TEST_F(UsageReporterTest, DoesNotBelieveAnAnswerThatDoesNotMatch) {
  std::atomic<int> calls{0};
  service_.SetFault([&](const auto&) -> std::optional<ReportResult> {
    ReportResult result;
    switch (calls++) {
      case 0:  // too few
        result.response.set_stored_count(1);
        return result;
      case 1:  // an index that is out of range
        result.response.set_stored_count(1);
        result.response.add_errors()->set_index(2);
        return result;
      case 2:  // one index twice
        result.response.add_errors()->set_index(0);
        result.response.add_errors()->set_index(0);
        return result;
      case 3:  // negative
        result.response.set_stored_count(3);
        result.response.set_duplicate_count(-1);
        return result;
      default:
        return std::nullopt;
    }
  });
  FakeClock still;  // so that both records are in one batch
  UsageReporterOptions options = Options(Durability::kMemory);
  options.clock = &still;
  options.max_batch_records = 2;
  ASSERT_OK_AND_ASSIGN(const auto reporter, Start(options));
  ASSERT_THAT(reporter->Report(NumberedRecord(1)), IsOk());
  ASSERT_THAT(reporter->Report(NumberedRecord(2)), IsOk());
  ASSERT_TRUE(Eventually([&] {
    still.Advance(absl::Seconds(1));
    return service_.records().size() == 2;
  }));
  EXPECT_EQ(reporter->counters().refused, 0);
  EXPECT_EQ(reporter->counters().failed_calls, 4);
}

}  // namespace
}  // namespace tokenusage
