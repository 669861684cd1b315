// SPDX-License-Identifier: Apache-2.0

// Maintenance of SQLite databases, beyond the contract of all stores: damage is
// found and named, rollups are rebuilt, copies are complete.

#include "tokenusage/store/sqlite/maintenance.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/store/queries.h"
#include "tests/store/sqlite/sqlite_files.h"
#include "tests/support/records.h"
#include "tests/support/status_matchers.h"
#include "tokenusage/store/sqlite/store.h"

namespace tokenusage::testing {
namespace {

using Texts = std::vector<std::string>;

constexpr char kNoon[] = "2026-08-01T12:00:00Z";

std::unique_ptr<UsageStore> Open(const std::string& path) {
  auto store = OpenSqliteStore(path);
  EXPECT_THAT(store, IsOk());
  return store.ok() ? *std::move(store) : nullptr;
}

// Creates a database of 40 records, 10 minutes apart from noon on, in two
// series. Returns its path.
std::string NewDatabase() {
  const std::string path = NewFolder() + "/usage.db";
  std::vector<v1::UsageRecord> records;
  for (int i = 0; i < 40; ++i) {
    records.push_back(RecordAt("r" + std::to_string(i), kNoon, 1 << (i % 20)));
    SetEventTime(Nanos(kNoon) + i * 600'000'000'000, &records.back());
    records.back().set_model(i % 2 == 0 ? "even" : "odd");
  }
  Open(path)->Append("p", CheckedOf(records)).value();
  return path;
}

Texts Problems(const std::string& path) {
  const auto report = CheckSqliteDatabase(path, CheckOptions());
  if (!report.ok()) return {report.status().ToString()};
  Texts texts;
  for (const CheckProblem& problem : report->problems) {
    texts.push_back(DescribeProblem(problem));
  }
  EXPECT_EQ(report->problem_count, static_cast<std::int64_t>(texts.size()));
  return texts;
}

Texts Rows(const std::string& path) {
  return AllRowTexts(Open(path).get(),
                     QueryOf("2026-08-01T00:00:00Z", "2026-08-03T00:00:00Z",
                             v1::TIME_BUCKET_HOUR));
}

void Rebuild(const std::string& path) {
  const auto rebuild = Open(path)->maintenance()->RebuildRollups(CallLimits());
  ASSERT_THAT(rebuild, IsOk());
  EXPECT_EQ(rebuild->record_count, 40);
}

TEST(SqliteMaintenanceTest, AWrongRollupIsNamedAndRebuilt) {
  const std::string path = NewDatabase();
  const Texts rows = Rows(path);
  ASSERT_EQ(Problems(path), Texts());
  // Records 0 and 1 are in the first quarter hour; 2^0 is the even one's. Five
  // measures of one record each: total_tokens and input_tokens are 1, the
  // others 0.
  RunSql(path,
         "UPDATE rollup_quarter SET measure_sums="
         "x'0101050110a5d4e80201050010a5d4e8030100040100050100' "
         "WHERE (series_id, cell_start)="
         "(SELECT series_id, min(cell_start) FROM rollup_quarter "
         "JOIN series USING(series_id) WHERE model='even')");
  EXPECT_EQ(Problems(path),
            (Texts{"project p: rollup: operation \"images.edits\", provider "
                   "\"openai\", model \"even\", 2026-08-01T12:00Z to "
                   "2026-08-01T12:15Z, total_tokens: expected 1, found "
                   "1.000000000001"}));
  Rebuild(path);
  EXPECT_EQ(Problems(path), Texts());
  EXPECT_EQ(Rows(path), rows);
}

TEST(SqliteMaintenanceTest, CorrectionsAndTheirMarksMustMatch) {
  const std::string path = NewDatabase();
  std::vector<v1::UsageRecord> corrections;
  for (const std::string id : {"r1", "r2"}) {
    corrections.push_back(RecordAt(id + "-new", kNoon, 1));
    corrections.back().set_corrects(id);
  }
  Open(path)->Append("p", CheckedOf(corrections)).value();
  EXPECT_EQ(Problems(path), Texts());
  // The rollups follow the marks, so that only the marks are wrong.
  RunSql(path,
         "UPDATE usage_record SET corrected_by="
         "iif(record_id='r3','r1-new',NULL) WHERE record_id IN ('r1','r3')");
  const auto rebuild = Open(path)->maintenance()->RebuildRollups(CallLimits());
  ASSERT_THAT(rebuild, IsOk());
  EXPECT_EQ(
      Problems(path),
      (Texts{"project p: record: record r1-new: it corrects r1, which is not "
             "marked as corrected by it",
             "project p: record: record r3: it is marked as corrected by "
             "r1-new, which does not correct it"}));
}

TEST(SqliteMaintenanceTest, ARollupWithoutWhatIsCorrectedIsRefused) {
  const std::string path = NewDatabase();
  const Texts rows = Rows(path);
  RunSql(path, "DELETE FROM rollup_hour");
  v1::UsageRecord taken_back = RecordAt("v", kNoon, 1);
  taken_back.set_corrects("r1");
  taken_back.clear_usage();
  const AppendResult result = Open(path)->Append("p", CheckedOf({taken_back}));
  EXPECT_THAT(result, StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_NE(result.status().message().find(
                "at 2026-08-01T12:00Z lacks records that it should hold"),
            absl::string_view::npos)
      << result.status();
  EXPECT_EQ(Open(path)->GetRecord("p", "r1")->corrected_by(), "");
  Rebuild(path);
  EXPECT_EQ(Rows(path), rows);
}

TEST(SqliteMaintenanceTest, EveryKindOfWrongRollupIsFound) {
  const std::string path = NewDatabase();
  const Texts rows = Rows(path);
  const auto expect_rebuilt = [&](const std::string& sql, std::size_t count,
                                  const std::string& words) {
    SCOPED_TRACE(sql);
    RunSql(path, sql);
    const Texts problems = Problems(path);
    EXPECT_EQ(problems.size(), count);
    ASSERT_FALSE(problems.empty());
    EXPECT_NE(problems[0].find(words), std::string::npos) << problems[0];
    Rebuild(path);
    EXPECT_EQ(Problems(path), Texts());
    EXPECT_EQ(Rows(path), rows);
  };
  // 40 records in 7 hours of two series, 14 cells of hours.
  expect_rebuilt("UPDATE rollup_hour SET record_count=record_count+1", 14,
                 "record_count: expected 3, found 4");
  expect_rebuilt("UPDATE rollup_hour SET inconsistent_record_count=1", 14,
                 "inconsistent_record_count: expected 0, found 1");
  expect_rebuilt("UPDATE rollup_hour SET unknown_usage_record_count=1", 14,
                 "unknown_usage_record_count: expected 0, found 1");
  // Without the last measure, and with another number of records of it.
  expect_rebuilt(
      "UPDATE rollup_hour SET "
      "measure_sums=substr(measure_sums,1,length(measure_sums)-3)",
      14, "input_image_tokens: expected 0, found none");
  expect_rebuilt(
      "UPDATE rollup_quarter SET "
      "measure_sums=x'0101050010a5d4e80201050010a5d4e8030100040100050200' "
      "WHERE (series_id, cell_start)="
      "(SELECT series_id, min(cell_start) FROM rollup_quarter "
      "JOIN series USING(series_id) WHERE model='even')",
      1, "input_image_tokens.record_count: expected 1, found 2");
  expect_rebuilt(
      "DELETE FROM rollup_quarter WHERE cell_start="
      "(SELECT min(cell_start) FROM rollup_quarter)",
      2, "record_count: expected 1, found none");
  expect_rebuilt(
      "INSERT INTO rollup_hour SELECT series_id, 7200, 5, 0, 0, "
      "measure_sums FROM rollup_hour LIMIT 1",
      1, "record_count: expected none, found 5");
  expect_rebuilt(
      "UPDATE rollup_hour SET measure_sums=x'01' WHERE cell_start="
      "(SELECT min(cell_start) FROM rollup_hour)",
      4, "at 2026-08-01T12:00Z cannot be read");
  expect_rebuilt("UPDATE rollup_hour SET inconsistent_record_count=4", 28,
                 "cannot be read");
}

TEST(SqliteMaintenanceTest, AMissingOrForeignRecordIsFound) {
  const std::string path = NewDatabase();
  RunSql(path, "DELETE FROM usage_record WHERE record_id='r0'");
  // There is one quarter hour too many. In the hour the number of records, two
  // sums, and the numbers of records of all five measures differ.
  EXPECT_EQ(Problems(path).size(), 9u);
  RunSql(path, "UPDATE usage_record SET record_id='x' WHERE record_id='r1'");
  Texts problems = Problems(path);
  ASSERT_FALSE(problems.empty());
  EXPECT_NE(problems[0].find("its record_id is r1, but it is stored under x"),
            std::string::npos)
      << problems[0];
  RunSql(path,
         "UPDATE usage_record SET record=x'ff' WHERE record_id='r2';"
         "UPDATE usage_record SET event_time=event_time+1 "
         "WHERE record_id='r3';"
         "UPDATE usage_record SET series_id=(SELECT series_id FROM series "
         "WHERE model='odd') WHERE record_id='r4'");
  problems = Problems(path);
  std::string all;
  for (const std::string& problem : problems) all += problem + "\n";
  for (const char* words :
       {"it cannot be read", "but it is stored under",
        "operation, provider and model are not those of its series"}) {
    EXPECT_NE(all.find(words), std::string::npos) << all;
  }
  EXPECT_EQ(
      Open(path)->maintenance()->RebuildRollups(CallLimits()).status().code(),
      absl::StatusCode::kDataLoss);
}

TEST(SqliteMaintenanceTest, AWrongMarkOfARecordIsFoundAndRebuilt) {
  const std::string path = NewDatabase();
  v1::UsageRecord record = RecordAt("bad", kNoon, 7);
  record.mutable_orq_images_edits()->set_total_tokens(6);
  Open(path)->Append("q", CheckedOf({record})).value();
  ASSERT_EQ(Problems(path), Texts());
  RunSql(path,
         "UPDATE usage_record SET inconsistent=1-inconsistent "
         "WHERE record_id IN ('bad', 'r3')");
  const Texts problems = Problems(path);
  ASSERT_EQ(problems.size(), 2u);
  EXPECT_EQ(problems[0],
            "project p: record: row 4: it is marked as contradicting itself, "
            "but does not");
  EXPECT_EQ(problems[1],
            "project q: record: row 41: it contradicts itself, but is not "
            "marked");
  EXPECT_EQ(
      Open(path)->maintenance()->RebuildRollups(CallLimits())->record_count,
      41);
  EXPECT_EQ(Problems(path), Texts());
}

TEST(SqliteMaintenanceTest, OrphansAreFound) {
  const std::string path = NewDatabase();
  RunSql(path, "DELETE FROM series WHERE model='odd'");
  Texts problems = Problems(path);
  ASSERT_GT(problems.size(), 2u);
  EXPECT_NE(problems[0].find("quarter hours whose series is missing"),
            std::string::npos);
  EXPECT_NE(problems[1].find("hours whose series is missing"),
            std::string::npos);
  RunSql(path, "DELETE FROM project");
  problems = Problems(path);
  ASSERT_GT(problems.size(), 2u);
  EXPECT_NE(problems[0].find("40 records whose project is missing"),
            std::string::npos);
}

TEST(SqliteMaintenanceTest, TheListIsBoundedAndTheCountIsNot) {
  const std::string path = NewDatabase();
  RunSql(path, "UPDATE rollup_hour SET record_count=0");
  CheckOptions options;
  options.max_problems = 3;
  const auto report = CheckSqliteDatabase(path, options);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->problem_count, 28);
  EXPECT_EQ(report->problems.size(), 3u);
  EXPECT_EQ(report->record_count, 40);
}

TEST(SqliteMaintenanceTest, ShowsProgress) {
  const std::string path = NewDatabase();
  // Copies each record 60 times, with other ids.
  RunSql(path,
         "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT "
         "60) INSERT INTO usage_record SELECT NULL, project_id, "
         "CAST(record_id || '-' || i AS BLOB), event_time, series_id, "
         "inconsistent, corrected_by, record FROM usage_record, n");
  std::int64_t checked = 0;
  CheckOptions options;
  options.on_progress = [&](std::int64_t records,
                            std::optional<double> fraction) {
    checked = records;
    EXPECT_DOUBLE_EQ(fraction.value(), static_cast<double>(records) / 2440);
  };
  ASSERT_THAT(CheckSqliteDatabase(path, options), IsOk());
  EXPECT_EQ(checked, 2000);

  std::int64_t copied = 0;
  const auto backup = BackupSqliteDatabase(
      path, NewFolder() + "/copy.db",
      [&](std::int64_t bytes, std::optional<double> fraction) {
        EXPECT_LT(copied, bytes);
        EXPECT_LE(fraction.value(), 1);
        copied = bytes;
      });
  ASSERT_THAT(backup, IsOk());
  EXPECT_EQ(copied, backup->bytes);
}

TEST(SqliteMaintenanceTest, ACheckInSmallPartsFindsTheSame) {
  const std::string path = NewDatabase();
  CheckOptions options;
  options.max_rollups = 1;
  const auto sound = CheckSqliteDatabase(path, options).value();
  EXPECT_EQ(sound.problem_count, 0);
  EXPECT_EQ(sound.record_count, 40);
  EXPECT_EQ(sound.rollup_count,
            CheckSqliteDatabase(path, CheckOptions())->rollup_count);
  RunSql(path, "UPDATE rollup_hour SET record_count=9");
  EXPECT_EQ(CheckSqliteDatabase(path, options)->problem_count, 14);
}

TEST(SqliteMaintenanceTest,
     HoursBeforeTheHorizonMustBeTheSumsOfTheirQuarterHours) {
  const std::string path = NewDatabase();
  Open(path)
      ->maintenance()
      ->RemoveRecordsBefore("p", Time("2026-08-01T14:00:00Z"), CallLimits())
      .value();
  ASSERT_EQ(Problems(path), Texts());
  RunSql(path,
         "UPDATE rollup_hour SET record_count=7 WHERE cell_start="
         "(SELECT min(cell_start) FROM rollup_hour) AND series_id="
         "(SELECT series_id FROM series WHERE model='even')");
  const Texts problems = Problems(path);
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_NE(problems[0].find("record_count: expected 3, found 7"),
            std::string::npos)
      << problems[0];
}

TEST(SqliteMaintenanceTest, AChangedByteInAPageIsFound) {
  const std::string path = NewDatabase();
  const std::string root = RunSql(
      path, "SELECT rootpage FROM sqlite_master WHERE name='rollup_quarter'");
  std::string content = ReadFile(path);
  // The first byte of a page is its type.
  content[4096 * (std::stoul(root) - 1)] = 0;
  WriteFile(path, content);
  const Texts problems = Problems(path);
  ASSERT_FALSE(problems.empty());
  EXPECT_NE(problems[0].find("storage"), std::string::npos) << problems[0];
  EXPECT_EQ(BackupSqliteDatabase(path, path + ".copy").status().code(),
            absl::StatusCode::kDataLoss);
  EXPECT_FALSE(std::filesystem::exists(path + ".copy"));
}

// --------------------------------------------------------------- removals

std::int64_t LeftOver(const std::string& path) {
  return CheckSqliteDatabase(path, CheckOptions())->left_over_count;
}

TEST(SqliteMaintenanceTest, AnInterruptedRemovalIsNotSeenAndContinues) {
  const std::string path = NewDatabase();
  const Texts rows = Rows(path);
  // After the horizon has moved and before the first record is removed.
  RunSql(path, "INSERT INTO retention SELECT project_id, " +
                   std::to_string(Nanos("2026-08-01T14:00:00Z") / 1000000000) +
                   ", NULL, 0 FROM project");
  EXPECT_EQ(Problems(path), Texts());
  EXPECT_EQ(LeftOver(path), 12);
  {
    const auto store = Open(path);
    EXPECT_THAT(store->GetRecord("p", "r0"),
                StatusIs(absl::StatusCode::kNotFound));
    EXPECT_THAT(store->GetRecord("p", "r12"), IsOk());
    EXPECT_EQ(store->maintenance()->RebuildRollups(CallLimits())->record_count,
              28);
    EXPECT_EQ(store->Append("p", CheckedOf({RecordAt("n", kNoon, 1)})).value(),
              std::vector<AppendOutcome>{AppendOutcome::kBeforeHorizon});
    EXPECT_EQ(store->maintenance()
                  ->RemoveRecordsBefore("p", Time("2026-08-01T01:00:00Z"),
                                        CallLimits())
                  ->record_count,
              12);
  }
  EXPECT_EQ(LeftOver(path), 0);
  EXPECT_EQ(Problems(path), Texts());
  EXPECT_EQ(Rows(path), rows);
}

TEST(SqliteMaintenanceTest, AnInterruptedDeletionContinues) {
  const std::string path = NewDatabase();
  RunSql(path, "UPDATE project SET name='deleted/9/p'");
  EXPECT_EQ(Problems(path), Texts());
  EXPECT_EQ(LeftOver(path), 40);
  {
    const auto store = Open(path);
    EXPECT_TRUE(store->maintenance()->Retention().value().empty());
    store->Append("p", CheckedOf({RecordAt("r0", kNoon, 5)})).value();
    EXPECT_EQ(
        store->maintenance()->DeleteProject("q", CallLimits()).status().code(),
        absl::StatusCode::kNotFound);
    // The 40 records of the old project, and the one of the new project.
    EXPECT_EQ(
        store->maintenance()->DeleteProject("p", CallLimits())->record_count,
        41);
    EXPECT_EQ(
        store->maintenance()->DeleteProject("p", CallLimits()).status().code(),
        absl::StatusCode::kNotFound);
  }
  EXPECT_EQ(LeftOver(path), 0);
  for (const char* table :
       {"project", "series", "usage_record", "rollup_quarter", "rollup_hour"}) {
    EXPECT_EQ(RunSql(path, std::string("SELECT count(*) FROM ") + table), "0");
  }
}

// ------------------------------------------------------------------ backup

Texts FilesIn(const std::string& folder) {
  Texts names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    names.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

TEST(SqliteMaintenanceTest, NothingIsLeftBesideTheDatabase) {
  const std::string path = NewDatabase();
  const std::string folder = std::filesystem::path(path).parent_path();
  const Texts files = FilesIn(folder);
  EXPECT_EQ(Problems(path), Texts());
  EXPECT_EQ(FilesIn(folder), files);
  ASSERT_THAT(BackupSqliteDatabase(path, NewFolder() + "/copy.db"), IsOk());
  EXPECT_EQ(FilesIn(folder), files);
}

TEST(SqliteMaintenanceTest, ABackupIsADatabaseLikeTheOriginal) {
  const std::string path = NewDatabase();
  const std::string folder = NewFolder();
  const std::string copy = folder + "/copy.db";
  std::filesystem::permissions(path, std::filesystem::perms(0600));
  const auto backup = BackupSqliteDatabase(path, copy);
  ASSERT_THAT(backup, IsOk());
  EXPECT_EQ(backup->path, copy);
  EXPECT_EQ(backup->bytes,
            static_cast<std::int64_t>(std::filesystem::file_size(copy)));
  EXPECT_EQ(std::filesystem::status(copy).permissions(),
            std::filesystem::perms(0600));
  EXPECT_EQ(FilesIn(folder), Texts{"copy.db"});
  EXPECT_EQ(Problems(copy), Texts());
  EXPECT_EQ(Rows(copy), Rows(path));

  // An existing file is not replaced.
  const std::string content = ReadFile(copy);
  const absl::Status again = BackupSqliteDatabase(path, copy).status();
  EXPECT_EQ(again.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(again.message().find("already exists"), absl::string_view::npos);
  EXPECT_EQ(ReadFile(copy), content);
}

TEST(SqliteMaintenanceTest, WhatIsNotThereIsNotMade) {
  const std::string folder = NewFolder();
  const std::string path = folder + "/none.db";
  constexpr auto kNotFound = absl::StatusCode::kNotFound;
  EXPECT_EQ(CheckSqliteDatabase(path, CheckOptions()).status().code(),
            kNotFound);
  EXPECT_EQ(BackupSqliteDatabase(path, path + ".copy").status().code(),
            kNotFound);
  SqliteStoreOptions options;
  options.create_if_missing = false;
  EXPECT_EQ(OpenSqliteStore(path, options).status().code(), kNotFound);
  EXPECT_TRUE(std::filesystem::is_empty(folder));
}

}  // namespace
}  // namespace tokenusage::testing
