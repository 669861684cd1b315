// SPDX-License-Identifier: Apache-2.0

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/store/postgres/postgres_server.h"
#include "tests/store/queries.h"
#include "tests/store/sqlite/sqlite_files.h"
#include "tests/support/records.h"
#include "tests/support/status_matchers.h"
#include "tokenusage/store/copy/copy_store.h"
#include "tokenusage/store/postgres/store.h"
#include "tokenusage/store/sqlite/store.h"

namespace tokenusage::testing {
namespace {

constexpr char kStart[] = "2026-08-01T00:00:00Z";

class CopyTest : public ::testing::Test {
 protected:
  CopyTest()
      : path_(NewFolder() + "/usage.db"),
        url_(SharedPostgresServer().NewDatabase()) {}

  // Appends the records `begin` to `end` - 1 to the source, some to each of two
  // projects.
  void Fill(int begin, int end) {
    const auto store = OpenSqliteStore(path_).value();
    for (int first = begin; first < end; first += 100) {
      std::vector<v1::UsageRecord> records;
      for (int i = first; i < first + 100 && i < end; ++i) {
        records.push_back(
            RecordAt("id-" + std::to_string(i), kStart, i + 0.25));
        SetEventTime(Nanos(kStart) + i * 61'000'000'000, &records.back());
        records.back().set_model("m" + std::to_string(i % 3));
        if (i % 5 == 0) {
          records.back().mutable_usage_unknown()->set_reason(
              v1::UNKNOWN_USAGE_REASON_ABORTED);
        } else if (i % 5 == 1) {
          // It contradicts itself.
          auto* usage = records.back().mutable_token_usage();
          usage->set_input_tokens(i);
          usage->set_cache_read_tokens(i + 1);
          usage->set_cost_usd(0.000000000001 * i);
        }
      }
      const std::string project = first / 100 % 4 == 3 ? "q" : "p";
      const auto outcomes = store->Append(
          project, CheckedOf(records, Time("2027-01-01T00:00:00Z") +
                                          absl::Seconds(first)));
      ASSERT_THAT(outcomes, IsOk());
    }
  }

  absl::StatusOr<CopyReport> Copy() {
    return CopySqliteToPostgres(path_, url_, [](const CopyProgress&) {});
  }

  // Expects the same answers from both stores.
  void ExpectSame() {
    const auto source = OpenSqliteStore(path_).value();
    const auto destination = OpenPostgresStore(url_).value();
    const auto kept = source->maintenance()->Retention().value();
    const auto copied = destination->maintenance()->Retention().value();
    ASSERT_EQ(kept.size(), copied.size());
    for (std::size_t i = 0; i < kept.size(); ++i) {
      EXPECT_EQ(kept[i].project, copied[i].project);
      EXPECT_EQ(kept[i].horizon, copied[i].horizon);
      EXPECT_EQ(kept[i].retain, copied[i].retain);
      EXPECT_EQ(kept[i].oldest, copied[i].oldest);
    }
    for (const std::string project : {"p", "q"}) {
      UsageQuery query = QueryOf("2026-07-01T00:00:00Z", "2027-01-01T00:00:00Z",
                                 v1::TIME_BUCKET_DAY);
      query.projects = {project};
      query.group_by = {{UsageField::Kind::kModel, ""}};
      EXPECT_EQ(AllRowTexts(source.get(), query),
                AllRowTexts(destination.get(), query));
      RecordQuery list =
          RecordQueryOf("2026-08-01T05:00:00Z", "2027-01-01T00:00:00Z");
      list.project = project;
      list.inconsistent_only = true;
      EXPECT_EQ(AllIds(source.get(), list), AllIds(destination.get(), list));
    }
    const auto record = source->GetRecord("p", "id-250");
    ASSERT_THAT(record, IsOk());
    EXPECT_EQ(record->SerializeAsString(),
              destination->GetRecord("p", "id-250")->SerializeAsString());
    EXPECT_EQ(destination->maintenance()->Check(CheckOptions())->problem_count,
              0);
  }

  const std::string path_;
  const std::string url_;
};

TEST_F(CopyTest, CopiesAllOnceAndThenWhatIsNew) {
  Fill(0, 1000);
  const auto first = Copy();
  ASSERT_THAT(first, IsOk());
  EXPECT_EQ(first->copied, 1000);
  EXPECT_EQ(first->already_there, 0);
  EXPECT_GT(first->compared_rollups, 50);
  ExpectSame();
  Fill(1000, 1234);
  EXPECT_EQ(Copy()->copied, 234);
  EXPECT_EQ(Copy()->copied, 0);
  ExpectSame();
}

TEST_F(CopyTest, ContinuesAnInterruptedCopy) {
  Fill(0, 21'000);
  EXPECT_THROW(CopySqliteToPostgres(path_, url_,
                                    [](const CopyProgress& progress) {
                                      EXPECT_EQ(progress.copied, 10'000);
                                      EXPECT_EQ(progress.total, 21'000);
                                      throw std::runtime_error("cut short");
                                    })
                   .IgnoreError(),
               std::runtime_error);
  const auto rest = Copy();
  ASSERT_THAT(rest, IsOk());
  EXPECT_EQ(rest->copied, 11'000);
  EXPECT_EQ(rest->already_there, 0);
  // If the bookmark is lost, nothing is counted twice.
  RunPostgresSql(url_,
                 "DELETE FROM tokenusage.property WHERE name LIKE 'copied%'");
  const auto again = Copy();
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->copied, 21'000);
  EXPECT_EQ(again->already_there, 21'000);
  ExpectSame();
}

TEST_F(CopyTest, CopiesTheTotalsOfRemovedRecords) {
  Fill(0, 1000);
  const auto remove = [this](const char* horizon) {
    const auto source = OpenSqliteStore(path_).value();
    EXPECT_THAT(source->maintenance()->RemoveRecordsBefore("p", Time(horizon),
                                                           CallLimits()),
                IsOk());
    EXPECT_THAT(source->maintenance()->SetRetention("q", absl::Hours(36)),
                IsOk());
  };
  remove("2026-08-01T02:00:00Z");
  ASSERT_THAT(Copy(), IsOk());
  ExpectSame();
  remove("2026-08-01T04:00:00Z");
  const auto again = Copy();
  ASSERT_THAT(again, IsOk());
  ExpectSame();
}

TEST_F(CopyTest, CopiesCorrectionsAsTheyAre) {
  Fill(0, 700);
  const auto correct = [this](const std::string& id,
                              const std::string& corrects,
                              const std::string& time) {
    v1::UsageRecord record = RecordAt(id, time, 1000);
    record.set_corrects(corrects);
    const auto source = OpenSqliteStore(path_).value();
    EXPECT_EQ(source->Append("p", CheckedOf({record})).value().at(0),
              AppendOutcome::kStored);
  };
  constexpr char kLate[] = "2026-08-01T10:00:00Z";
  correct("c1", "id-210", kLate);
  correct("c2", "c1", kLate);
  // One of each pair is removed below.
  correct("late", "id-3", kLate);
  correct("early", "id-260", kStart);
  EXPECT_THAT(
      OpenSqliteStore(path_).value()->maintenance()->RemoveRecordsBefore(
          "p", Time("2026-08-01T02:00:00Z"), CallLimits()),
      IsOk());
  ASSERT_THAT(Copy(), IsOk());
  const auto expect_corrected = [this](const std::string& id,
                                       const std::string& by) {
    const auto destination = OpenPostgresStore(url_).value();
    const auto record = destination->GetRecord("p", id);
    ASSERT_THAT(record, IsOk());
    EXPECT_EQ(record->corrected_by(), by);
  };
  expect_corrected("id-210", "c1");
  expect_corrected("c1", "c2");
  expect_corrected("id-260", "early");
  expect_corrected("late", "");

  // A record that was copied before it was corrected.
  correct("c3", "id-250", kLate);
  ASSERT_THAT(Copy(), IsOk());
  expect_corrected("id-250", "c3");
  ExpectSame();
}

TEST_F(CopyTest, CopiesTheNotesOfDeletionsOnce) {
  Fill(0, 300);
  {
    const auto source = OpenSqliteStore(path_).value();
    v1::UsageRecord record = RecordAt("c1", kStart, 1000);
    record.set_corrects("id-10");
    EXPECT_EQ(source->Append("p", CheckedOf({record})).value().at(0),
              AppendOutcome::kStored);
    RecordSelection selection;
    selection.project = "p";
    selection.window = {0, Nanos("2200-01-01T00:00:00Z")};
    selection.record_ids = {"id-10"};
    EXPECT_EQ(source->maintenance()
                  ->DeleteRecords(selection, /*dry_run=*/false, {})
                  .value()
                  .record_count,
              1);
  }
  ASSERT_THAT(Copy(), IsOk());
  ASSERT_THAT(Copy(), IsOk());
  ExpectSame();
  const auto destination = OpenPostgresStore(url_).value();
  const auto deletions = destination->maintenance()->Deletions();
  ASSERT_THAT(deletions, IsOk());
  ASSERT_EQ(deletions->size(), 1u);
  EXPECT_EQ(deletions->front().selection, "record_id=\"id-10\"");
  // The correction of a deleted record is no problem.
  EXPECT_EQ(destination->maintenance()->Check(CheckOptions())->problem_count,
            0);
}

TEST_F(CopyTest, NamesARollupThatDiffers) {
  Fill(0, 300);
  ASSERT_THAT(Copy(), IsOk());
  RunPostgresSql(url_,
                 "UPDATE tokenusage.usage_rollup SET total_tokens = "
                 "total_tokens + 0.000000001 WHERE cell_seconds = 900 AND "
                 "model = 'm1' AND project = 'p'");
  const absl::Status status = Copy().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_NE(status.message().find("project p"), absl::string_view::npos);
  EXPECT_NE(status.message().find("\"m1\""), absl::string_view::npos) << status;
}

TEST_F(CopyTest, StopsAtARecordWithOtherContent) {
  Fill(0, 300);
  ASSERT_THAT(OpenPostgresStore(url_).value()->Append(
                  "p", CheckedOf({RecordAt("id-7", kStart, 99)})),
              IsOk());
  const absl::Status status = Copy().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(status.message().find("1 records exist with the same id"),
            absl::string_view::npos)
      << status;

  // The next call copies the records that were not stored.
  const auto destination = OpenPostgresStore(url_).value();
  ASSERT_THAT(destination->maintenance()->DeleteProject("p", CallLimits()),
              IsOk());
  ASSERT_THAT(Copy(), IsOk());
  ExpectSame();
}

TEST_F(CopyTest, RollupsByLabelAndTheirHistoryAreCopied) {
  const char kHorizon[] = "2026-08-01T06:00:00Z";
  SqliteStoreOptions options;
  options.rollups.labels = RollupLabels{"team"};
  UsageQuery query = QueryOf("2026-07-01T00:00:00Z", "2026-09-01T00:00:00Z");
  query.group_by = {LabelField("team")};
  const auto fill = [&](int begin, int end) {
    const auto store = OpenSqliteStore(path_, options).value();
    std::vector<v1::UsageRecord> records;
    for (int i = begin; i < end; ++i) {
      records.push_back(RecordAt("id-" + std::to_string(i), kStart, i + 0.25));
      SetEventTime(Nanos("2026-08-01T00:00:00Z") + i * 61'000'000'000,
                   &records.back());
      if (i % 3 != 0) {
        (*records.back().mutable_labels())["team"] = std::to_string(i % 3);
      }
    }
    ASSERT_THAT(store->Append("p", CheckedOf(records)), IsOk());
    ASSERT_THAT(
        store->maintenance()->RemoveRecordsBefore("p", Time(kHorizon), {}),
        IsOk());
  };
  // The second copy sets the month of the horizon again.
  for (const int begin : {0, 800}) {
    fill(begin, begin + 800);
    ASSERT_THAT(Copy(), IsOk());
    const auto source = OpenSqliteStore(path_).value();
    const auto destination = OpenPostgresStore(url_).value();
    EXPECT_EQ(AllRowTexts(source.get(), query).size(), 3u);
    EXPECT_EQ(AllRowTexts(source.get(), query),
              AllRowTexts(destination.get(), query));
    EXPECT_EQ(destination->maintenance()->Check(CheckOptions())->problem_count,
              0);
  }
  PostgresStoreOptions other;
  other.rollups.labels = RollupLabels{"customer"};
  EXPECT_THAT(OpenPostgresStore(url_, other),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

}  // namespace
}  // namespace tokenusage::testing
