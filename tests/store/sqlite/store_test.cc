// SPDX-License-Identifier: Apache-2.0

// Tests what the SQLite store promises beyond the contract of all stores.

#include "tokenusage/store/sqlite/store.h"

#include <signal.h>
#include <sys/resource.h>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "sqlite3.h"
#include "tests/store/queries.h"
#include "tests/store/sqlite/sqlite_files.h"
#include "tests/store/sqlite/store_test.h"
#include "tests/support/records.h"
#include "tests/support/status_matchers.h"

namespace tokenusage::testing {
namespace {

TEST(SqliteStoreTest, KeepsEverythingWhenClosedAndOpened) {
  const std::string path = NewFolder() + "/usage.db";
  Open(path)->Append("p", Records("a", 100)).value();
  const auto store = Open(path);
  EXPECT_EQ(Count(store.get()), 100);
  EXPECT_EQ(store->Append("p", Records("a", 1)).value(),
            std::vector<AppendOutcome>{AppendOutcome::kDuplicate});
  EXPECT_EQ(store->Append("p", Records("b", 1)).value(),
            std::vector<AppendOutcome>{AppendOutcome::kStored});
  EXPECT_EQ(Count(store.get()), 101);
}

TEST(SqliteStoreTest, TheKeyOfPageTokensBelongsToTheDatabase) {
  const std::string path = NewFolder() + "/usage.db";
  const std::string key = Open(path)->page_token_key();
  EXPECT_EQ(key.size(), 32u);
  EXPECT_EQ(Open(path)->page_token_key(), key);
  EXPECT_NE(Open(NewFolder() + "/usage.db")->page_token_key(), key);
}

TEST(SqliteStoreTest, AnswersWhatWasAcceptedBeforeItCloses) {
  std::atomic<int> stored{0};
  const std::string path = NewFolder() + "/usage.db";
  {
    const auto store = Open(path);
    for (int i = 0; i < 100; ++i) {
      store->AppendAsync("p", Records("b" + std::to_string(i) + "-", 10),
                         CallLimits(), [&stored](const AppendResult& result) {
                           if (result.ok()) stored += 10;
                         });
    }
  }
  EXPECT_EQ(stored, 1000);
  EXPECT_EQ(Count(Open(path).get()), 1000);
}

// A gate that holds a thread in Wait() until Open() is called.
class Gate {
 public:
  void Wait() {
    std::unique_lock<std::mutex> lock(mutex_);
    entered_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
  }
  void AwaitEntered() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return entered_; });
  }
  void Open() {
    const std::lock_guard<std::mutex> lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool entered_ = false;
  bool open_ = false;
};

TEST(SqliteStoreTest, RefusesWhatTheQueueCannotHold) {
  SqliteStoreOptions options;
  options.max_queued_bytes = 1000;
  const std::string path = NewFolder() + "/usage.db";
  Gate gate;
  std::atomic<int> stored{0};
  std::atomic<int> refused{0};
  {
    const auto store = Open(path, options);
    store->AppendAsync("p", Records("first", 1), CallLimits(),
                       [&gate](const AppendResult&) { gate.Wait(); });
    gate.AwaitEntered();
    for (int i = 0; i < 20; ++i) {
      store->AppendAsync("p", Records("n" + std::to_string(i), 1), CallLimits(),
                         [&](const AppendResult& result) {
                           result.ok() ? ++stored : ++refused;
                           EXPECT_TRUE(result.ok() || absl::IsResourceExhausted(
                                                          result.status()));
                         });
    }
    EXPECT_GT(refused, 0);  // answered at once
    gate.Open();
    // A batch that is larger than the queue is taken when nothing waits.
    while (stored + refused != 20) std::this_thread::yield();
    EXPECT_EQ(store->Append("p", Records("large", 50)).value().size(), 50u);
  }
  EXPECT_GT(stored, 0);
  EXPECT_EQ(stored + refused, 20);
  EXPECT_EQ(Count(Open(path).get()), 1 + stored + 50);
}

TEST(SqliteStoreTest, DamageFailsOnlyTheBatchThatMeetsIt) {
  const std::string path = NewFolder() + "/usage.db";
  Open(path)->Append("p", Records("a", 3)).value();
  RunSql(path, "UPDATE usage_record SET record=x'ff' WHERE record_id='a1'");
  Gate gate;
  std::vector<absl::StatusCode> codes(3);
  {
    const auto store = Open(path);
    store->AppendAsync("p", Records("first", 1), CallLimits(),
                       [&gate](const AppendResult&) { gate.Wait(); });
    gate.AwaitEntered();
    // One commit takes all of these.
    for (std::size_t i = 0; i < codes.size(); ++i) {
      store->AppendAsync("p", Records(std::string(1, "bac"[i]), 3),
                         CallLimits(), [&codes, i](const AppendResult& result) {
                           codes[i] = result.status().code();
                         });
    }
    gate.Open();
  }
  EXPECT_EQ(codes, (std::vector<absl::StatusCode>{absl::StatusCode::kOk,
                                                  absl::StatusCode::kDataLoss,
                                                  absl::StatusCode::kOk}));
  EXPECT_EQ(Count(Open(path).get()), 3 + 1 + 3 + 3);
}

TEST(SqliteStoreTest, ABatchLargerThanACommitIsStoredWhole) {
  SqliteStoreOptions options;
  options.max_records_per_commit = 3;
  const auto store = Open(NewFolder() + "/usage.db", options);
  std::atomic<int> answered{0};
  char prefix = 'a';
  for (const int size : {1, 2, 10, 1, 1, 1, 1, 4}) {
    store->AppendAsync("p", Records(std::string(1, prefix++), size),
                       CallLimits(), [&answered](const AppendResult& result) {
                         if (result.ok()) ++answered;
                       });
  }
  store->Append("p", Records("last", 1)).value();
  EXPECT_EQ(answered, 8);
  EXPECT_EQ(Count(store.get()), 22);
}

TEST(SqliteStoreTest, AnInterruptedDeletionSaysThatTheProjectIsGone) {
  const auto store = Open(NewFolder() + "/usage.db");
  store->Append("p", Records("a", 10)).value();
  int checks = 0;
  CallLimits limits;
  limits.is_cancelled = [&checks] { return ++checks > 1; };
  EXPECT_THAT(store->maintenance()->DeleteProject("p", limits),
              StatusIs(absl::StatusCode::kCancelled,
                       ::testing::HasSubstr("project p is deleted, but")));
  EXPECT_EQ(Count(store.get()), 0);
  EXPECT_EQ(
      store->maintenance()->DeleteProject("p", CallLimits())->record_count, 10);
  // It is one deletion.
  const auto deletions = store->maintenance()->Deletions().value();
  ASSERT_EQ(deletions.size(), 1u);
  EXPECT_EQ(deletions[0].project, "p");
  EXPECT_EQ(deletions[0].record_count, 10);
}

TEST(SqliteStoreTest, AProjectWithTheIdOfADeletedOneHasItsOwnSeries) {
  const auto store = Open(NewFolder() + "/usage.db");
  std::vector<v1::UsageRecord> records;
  for (int i = 0; i < 3; ++i) {
    records.push_back(RecordAt(std::to_string(i), kNoon, 1));
    records.back().set_model("m" + std::to_string(i));
  }
  store->Append("q", CheckedOf(records)).value();
  ASSERT_THAT(store->maintenance()->DeleteProject("q", CallLimits()), IsOk());
  store->Append("p", CheckedOf(records)).value();
  EXPECT_EQ(Count(store.get()), 3);
  EXPECT_EQ(store->maintenance()->Check(CheckOptions())->problem_count, 0);
}

TEST(SqliteStoreTest, SeriesThatAreNotCachedAreFoundAgain) {
  SqliteStoreOptions options;
  options.max_known_series = 3;
  const auto store = Open(NewFolder() + "/usage.db", options);
  for (int round = 0; round < 2; ++round) {
    for (const std::string project : {"p", "q", "r", "s", "t"}) {
      std::vector<v1::UsageRecord> records;
      for (int i = 0; i < 20; ++i) {
        records.push_back(RecordAt(std::to_string(100 * round + i), kNoon, 1));
        records.back().set_model("m" + std::to_string(i));
      }
      EXPECT_EQ(store->Append(project, CheckedOf(records)).value(),
                std::vector<AppendOutcome>(20, AppendOutcome::kStored));
      EXPECT_EQ(store->Append(project, CheckedOf(records)).value(),
                std::vector<AppendOutcome>(20, AppendOutcome::kDuplicate));
    }
  }
  EXPECT_EQ(Count(store.get()), 40);
  UsageQuery query = QueryOf("2026-08-01T00:00:00Z", "2026-08-02T00:00:00Z");
  query.group_by = {{UsageField::Kind::kModel, ""}};
  EXPECT_EQ(AllRowTexts(store.get(), query).size(), 20u);
  EXPECT_EQ(store->maintenance()->Check(CheckOptions())->problem_count, 0);
}

TEST(SqliteStoreTest, TheLimitOfSeriesHoldsForThoseThatAreNotCached) {
  SqliteStoreOptions options;
  options.max_known_series = 100;
  const auto store = Open(NewFolder() + "/usage.db", options);
  const auto append = [&](int first, int count) {
    std::vector<v1::UsageRecord> records;
    for (int i = first; i < first + count; ++i) {
      records.push_back(RecordAt("r" + std::to_string(i), kNoon, 1));
      records.back().set_model("m" + std::to_string(i));
    }
    return store->Append("p", CheckedOf(records)).value().back();
  };
  for (int i = 0; i < kMaxSeriesPerProject; i += 1000) {
    EXPECT_EQ(append(i, 1000), AppendOutcome::kStored);
    for (int other = 0; other < 100; ++other) {
      store->Append("q" + std::to_string(other), Records("a", 1)).value();
    }
  }
  EXPECT_EQ(append(kMaxSeriesPerProject, 1), AppendOutcome::kCardinalityLimit);
  EXPECT_EQ(append(7, 1), AppendOutcome::kDuplicate);
}

// -------------------------------------------------------------------- faults

// While it lives no file of this process can grow beyond `bytes`.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(std::uintmax_t bytes) {
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() { setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_;
};

TEST(SqliteStoreTest, RecoversFromAFailedWrite) {
  const std::string path = NewFolder() + "/usage.db";
  const auto store = Open(path);
  store->Append("p", Records("a", 10)).value();
  for (int round = 0; round < 3; ++round) {
    {
      const FileSizeLimit limit(std::filesystem::file_size(path + "-wal"));
      for (int attempt = 0; attempt < 2; ++attempt) {
        const AppendResult result = store->Append("p", Records("b", 500));
        ASSERT_THAT(result, ::testing::Not(IsOk()));
        EXPECT_EQ(result.status().code(), absl::StatusCode::kUnavailable)
            << result.status();
        EXPECT_NE(result.status().ToString().find(path), std::string::npos);
        // Also a project and series that are new.
        EXPECT_THAT(store->Append("new", Records("b", 500)),
                    ::testing::Not(IsOk()));
      }
      EXPECT_EQ(Count(store.get()), 10 + round);  // reads still work
      EXPECT_EQ(store->CheckWritable().code(), absl::StatusCode::kUnavailable);
    }
    EXPECT_THAT(store->CheckWritable(), IsOk());
    const std::string id = "c" + std::to_string(round) + "-";
    EXPECT_EQ(store->Append("p", Records(id, 1)).value(),
              std::vector<AppendOutcome>{AppendOutcome::kStored});
    EXPECT_EQ(Count(store.get()), 11 + round);
  }
  EXPECT_EQ(store->Append("new", Records("b", 500)).value(),
            std::vector<AppendOutcome>(500, AppendOutcome::kStored));
  EXPECT_EQ(store->Append("p", Records("b", 500)).value(),
            std::vector<AppendOutcome>(500, AppendOutcome::kStored));
  EXPECT_EQ(Count(store.get()), 513);
}

TEST(SqliteStoreTest, TellsWhatItTakes) {
  std::atomic<int> commits{0};
  std::atomic<bool> took_time{true};
  SqliteStoreOptions options;
  options.on_commit = [&](absl::Duration time) {
    if (time <= absl::ZeroDuration()) took_time = false;
    ++commits;
  };
  const std::string path = NewFolder() + "/usage.db";
  const auto store = Open(path, options);
  store->Append("p", Records("a", 10)).value();
  store->Append("p", Records("b", 10)).value();
  EXPECT_EQ(commits, 2);
  EXPECT_TRUE(took_time);
  const StoreStats stats = store->Stats();
  EXPECT_EQ(stats.queued_batches, 0);
  EXPECT_EQ(stats.queued_bytes, 0);
  EXPECT_EQ(static_cast<std::uintmax_t>(stats.size_bytes),
            std::filesystem::file_size(path) +
                std::filesystem::file_size(path + "-wal"));
}

TEST(SqliteStoreTest, AskingWhetherItIsWritableChangesNothing) {
  const std::string path = NewFolder() + "/usage.db";
  const auto store = Open(path);
  store->Append("p", Records("a", 1)).value();
  const std::int64_t before = store->Stats().size_bytes;
  EXPECT_THAT(store->CheckWritable(), IsOk());
  EXPECT_GT(store->Stats().size_bytes, before);  // it did write
  EXPECT_EQ(RunSql(path, "PRAGMA user_version"), "1");
  EXPECT_EQ(store->Append("p", Records("a", 1)).value(),
            std::vector<AppendOutcome>{AppendOutcome::kDuplicate});
}

TEST(SqliteStoreTest, ReadersDoNotWaitForTheWriter) {
  const std::string path = NewFolder() + "/usage.db";
  const auto store = Open(path);
  Gate gate;
  std::atomic<bool> done{false};
  // A transaction of another connection holds the writer up.
  store->Append("p", Records("a", 10)).value();
  std::thread blocker([&] {
    sqlite3* other = nullptr;
    sqlite3_open(path.c_str(), &other);
    EXPECT_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr),
              SQLITE_OK);
    gate.Wait();
    sqlite3_close(other);
  });
  gate.AwaitEntered();
  store->AppendAsync("p", Records("b", 10), CallLimits(),
                     [&done](const AppendResult& r) {
                       EXPECT_THAT(r, IsOk());
                       done = true;
                     });
  EXPECT_EQ(Count(store.get()), 10);
  EXPECT_THAT(store->GetRecord("p", "a1"), IsOk());
  EXPECT_FALSE(done);
  gate.Open();
  blocker.join();
  while (!done) std::this_thread::yield();
  EXPECT_EQ(Count(store.get()), 20);
}

// ---------------------------------------------------------------- the tables

TEST(SqliteStoreTest, AddsToSumsThatAnotherProcessChanged) {
  const std::string path = NewFolder() + "/usage.db";
  const auto store = Open(path);
  store->Append("p", Records("a", 3)).value();
  RunSql(path, "UPDATE rollup_quarter SET record_count=record_count+1");
  EXPECT_EQ(store->Append("p", Records("b", 1)).value(),
            std::vector<AppendOutcome>{AppendOutcome::kStored});
  EXPECT_EQ(RunSql(path, "SELECT record_count FROM rollup_quarter"), "5");
  EXPECT_EQ(RunSql(path, "SELECT record_count FROM rollup_hour"), "4");
}

TEST(SqliteStoreTest, ForgetsProjectsThatAnotherProcessDeleted) {
  const std::string path = NewFolder() + "/usage.db";
  const auto store = Open(path);
  store->Append("p", Records("a", 3)).value();
  RunSql(path,
         "DELETE FROM usage_record;DELETE FROM rollup_quarter;"
         "DELETE FROM rollup_hour;DELETE FROM series;DELETE FROM project;"
         "INSERT INTO project(project_id, name) VALUES(1, 'other')");
  EXPECT_EQ(store->Append("p", Records("a", 2)).value(),
            std::vector<AppendOutcome>(2, AppendOutcome::kStored));
  EXPECT_EQ(Count(store.get()), 2);
  EXPECT_EQ(RunSql(path, "SELECT project_id FROM project WHERE name='p'"), "2");
}

TEST(SqliteStoreTest, RemembersSumsOnlyAsLongAsNothingElseWritesThem) {
  const std::string path = NewFolder() + "/usage.db";
  const auto store = Open(path);
  store->Append("p", Records("a", 3)).value();
  RunSql(path, "UPDATE rollup_hour SET record_count=7");
  EXPECT_EQ(store->maintenance()->RebuildRollups({}).value().record_count, 3);
  store->Append("p", Records("b", 1)).value();
  EXPECT_EQ(Count(store.get()), 4);
  // The next project gets the ids of the deleted one.
  EXPECT_EQ(store->maintenance()->DeleteProject("p", {}).value().record_count,
            4);
  store->Append("p", Records("c", 2)).value();
  EXPECT_EQ(Count(store.get()), 2);
  EXPECT_EQ(RunSql(path, "SELECT record_count FROM rollup_hour"), "2");
}

std::unique_ptr<UsageStore> OpenWithLabels(const std::string& path) {
  SqliteStoreOptions options;
  options.rollups.labels = RollupLabels{"customer"};
  return Open(path, options);
}

// Waits until the rollups by label hold the records up to this row.
void AwaitFold(const std::string& path, const std::string& row_id) {
  const absl::Time give_up = absl::Now() + absl::Seconds(60);
  const auto folded = [&path] {
    return RunSql(path,
                  "SELECT value FROM property "
                  "WHERE name='label_rollups_until'");
  };
  while (folded() != row_id && absl::Now() < give_up) {
    absl::SleepFor(absl::Milliseconds(10));
  }
  EXPECT_EQ(folded(), row_id);
}

TEST(SqliteStoreTest, RollupsByLabelAreCompleteOnceItIsIdle) {
  const std::string path = NewFolder() + "/usage.db";
  {
    const auto store = OpenWithLabels(path);
    store->Append("p", Records("a", 3)).value();
    store->Append("p", Records("b", 2)).value();
    AwaitFold(path, "5");
    store->Append("p", Records("c", 1)).value();
  }
  const auto store = OpenWithLabels(path);
  AwaitFold(path, "6");
  EXPECT_EQ(RunSql(path, "SELECT sum(record_count) FROM label_rollup_quarter"),
            "6");
  EXPECT_EQ(store->maintenance()->Check({})->problem_count, 0);
}

TEST(SqliteStoreTest, RollupsByLabelLackRecordsThatWereDeletedBefore) {
  const std::string path = NewFolder() + "/usage.db";
  const auto store = OpenWithLabels(path);
  store->Append("p", Records("a", 3)).value();
  store->Append("p", Records("b", 2)).value();
  RecordSelection selection;
  selection.project = "p";
  selection.window = {Nanos(kNoon), Nanos(kNoon) + 1};
  selection.record_ids = {"a2", "b1"};
  EXPECT_EQ(store->maintenance()
                ->DeleteRecords(selection, /*dry_run=*/false, {})
                ->record_count,
            2);
  // The first new record gets the row id of the last one, which was deleted.
  store->Append("p", Records("c", 2)).value();
  AwaitFold(path, "6");
  EXPECT_EQ(RunSql(path, "SELECT sum(record_count) FROM label_rollup_month"),
            "5");
  EXPECT_EQ(store->maintenance()->Check({})->problem_count, 0);
}

TEST(SqliteStoreTest, SumsAreExactBeyondWhatIsRemembered) {
  const std::string path = NewFolder() + "/usage.db";
  const auto store = Open(path);
  // Adds twice to the rollup of each of 5,000 quarter hours.
  for (const char* prefix : {"a", "b"}) {
    std::vector<v1::UsageRecord> records;
    for (int i = 0; i < 5000; ++i) {
      records.push_back(ValidRecord(
          prefix + std::to_string(i),
          Nanos("2026-01-01T00:00:00Z") + i * std::int64_t{900'000'000'000}));
    }
    store->Append("p", CheckedOf(records)).value();
    store->Append("p", Records(prefix + std::string("-now"), 1)).value();
  }
  EXPECT_EQ(RunSql(path,
                   "SELECT min(record_count) || ' ' || sum(record_count)"
                   " FROM rollup_quarter"),
            "2 10002");
  EXPECT_EQ(RunSql(path, "SELECT sum(record_count) FROM rollup_hour"), "10002");
  // All records are alike, so all sums of a table are, too.
  for (const char* table : {"rollup_quarter", "rollup_hour"}) {
    EXPECT_EQ(
        RunSql(path, std::string("SELECT count(DISTINCT measure_sums) FROM ") +
                         table + " WHERE cell_start<1780000000"),
        "1");
  }
}

TEST(SqliteStoreTest, RollupsHoldWhatTheRecordsHold) {
  const std::string path = NewFolder() + "/usage.db";
  {
    const auto store = Open(path);
    std::vector<v1::UsageRecord> records;
    for (int i = 0; i < 3000; ++i) {
      records.push_back(
          ValidRecord("id-" + std::to_string(i),
                      Nanos(kNoon) + i * std::int64_t{61'000'000'000}));
    }
    store->Append("p", CheckedOf(records)).value();
  }
  const std::string raw_cells =
      "SELECT count(DISTINCT event_time / 1000000000 / ";
  EXPECT_EQ(RunSql(path, raw_cells + "900) FROM usage_record"),
            RunSql(path, "SELECT count(*) FROM rollup_quarter"));
  EXPECT_EQ(RunSql(path, raw_cells + "3600) FROM usage_record"),
            RunSql(path, "SELECT count(*) FROM rollup_hour"));
  for (const char* table : {"rollup_quarter", "rollup_hour"}) {
    EXPECT_EQ(RunSql(path, std::string("SELECT sum(record_count) FROM ") +
                               table + " WHERE length(measure_sums)>0"),
              "3000");
  }
  EXPECT_EQ(RunSql(path, "PRAGMA integrity_check"), "ok");
}

// Old programs, and old files, depend on this text.
TEST(SqliteStoreTest, TheTablesAreThoseOfVersion1) {
  const std::string path = NewFolder() + "/usage.db";
  Open(path);
  EXPECT_EQ(RunSql(path, "PRAGMA user_version"), "1");
  EXPECT_EQ(RunSql(path, "PRAGMA application_id"), "1953459054");
  EXPECT_EQ(RunSql(path, "PRAGMA journal_mode"), "wal");
  EXPECT_EQ(
      RunSql(path, "SELECT group_concat(sql, char(10)) FROM sqlite_master"),
      "CREATE TABLE project(project_id INTEGER PRIMARY KEY,name TEXT NOT NULL "
      "UNIQUE)\n"
      "CREATE TABLE series(series_id INTEGER PRIMARY KEY,project_id INTEGER "
      "NOT NULL,operation TEXT NOT NULL,provider TEXT NOT NULL,model TEXT NOT "
      "NULL,UNIQUE(project_id,operation,provider,model))\n"
      "CREATE TABLE usage_record(row_id INTEGER PRIMARY KEY,project_id INTEGER "
      "NOT NULL,record_id BLOB NOT NULL,event_time INTEGER NOT NULL,series_id "
      "INTEGER NOT NULL,inconsistent INTEGER NOT NULL,corrected_by BLOB,"
      "record BLOB NOT NULL,"
      "UNIQUE(project_id,record_id))\n"
      "CREATE INDEX usage_record_by_time ON "
      "usage_record(project_id,event_time,record_id)\n"
      "CREATE INDEX inconsistent_record_by_time ON "
      "usage_record(project_id,event_time,record_id) WHERE inconsistent=1\n"
      "CREATE TABLE rollup_quarter(series_id INTEGER NOT NULL,cell_start "
      "INTEGER NOT NULL,record_count INTEGER NOT NULL,"
      "inconsistent_record_count INTEGER NOT NULL,unknown_usage_record_count "
      "INTEGER NOT NULL,measure_sums BLOB NOT NULL,"
      "PRIMARY KEY(series_id,cell_start)) WITHOUT ROWID\n"
      "CREATE TABLE rollup_hour(series_id INTEGER NOT NULL,cell_start INTEGER "
      "NOT NULL,record_count INTEGER NOT NULL,inconsistent_record_count "
      "INTEGER NOT NULL,unknown_usage_record_count INTEGER NOT NULL,"
      "measure_sums BLOB NOT NULL,PRIMARY KEY(series_id,cell_start)) WITHOUT "
      "ROWID\n"
      "CREATE TABLE label_set(label_set_id INTEGER PRIMARY KEY,project_id "
      "INTEGER NOT NULL,labels TEXT NOT NULL,UNIQUE(project_id,labels))\n"
      "CREATE TABLE label_rollup_quarter(project_id INTEGER NOT NULL,"
      "cell_start INTEGER NOT NULL,label_set_id INTEGER NOT NULL,series_id "
      "INTEGER NOT NULL,record_count INTEGER NOT NULL,"
      "inconsistent_record_count INTEGER NOT NULL,unknown_usage_record_count "
      "INTEGER NOT NULL,measure_sums BLOB NOT NULL,"
      "PRIMARY KEY(project_id,cell_start,label_set_id,series_id)) WITHOUT "
      "ROWID\n"
      "CREATE TABLE label_rollup_month(project_id INTEGER NOT NULL,"
      "cell_start INTEGER NOT NULL,label_set_id INTEGER NOT NULL,series_id "
      "INTEGER NOT NULL,record_count INTEGER NOT NULL,"
      "inconsistent_record_count INTEGER NOT NULL,unknown_usage_record_count "
      "INTEGER NOT NULL,measure_sums BLOB NOT NULL,"
      "PRIMARY KEY(project_id,cell_start,label_set_id,series_id)) WITHOUT "
      "ROWID\n"
      "CREATE TABLE retention(project_id INTEGER PRIMARY KEY,horizon INTEGER "
      "NOT NULL,retain_seconds INTEGER,labels_from INTEGER NOT NULL DEFAULT "
      "0)\n"
      "CREATE TABLE deletion(deletion_id INTEGER PRIMARY KEY,project TEXT NOT "
      "NULL,start_time INTEGER NOT NULL,selection TEXT NOT NULL,record_count "
      "INTEGER NOT NULL)\n"
      "CREATE TABLE property(name TEXT NOT NULL PRIMARY KEY,value TEXT NOT "
      "NULL) WITHOUT ROWID");
}

}  // namespace
}  // namespace tokenusage::testing
