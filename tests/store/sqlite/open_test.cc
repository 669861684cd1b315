// SPDX-License-Identifier: Apache-2.0

// Tests which files a SQLite store opens, and which it refuses and leaves as
// they are.

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <filesystem>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/store/sqlite/sqlite_files.h"
#include "tests/store/sqlite/store_test.h"

namespace tokenusage::testing {
namespace {

void ExpectOpenError(const std::string& path, absl::StatusCode code,
                     const std::string& in_message) {
  const auto store = OpenSqliteStore(path);
  ASSERT_THAT(store, ::testing::Not(IsOk()));
  EXPECT_EQ(store.status().code(), code) << store.status();
  const std::string message(store.status().message());
  EXPECT_NE(message.find(path), std::string::npos) << message;
  EXPECT_NE(message.find(in_message), std::string::npos) << message;
}

TEST(SqliteOpenTest, OneAtATimeHasTheFileOpen) {
  const std::string folder = NewFolder();
  const std::string path = folder + "/usage.db";
  std::filesystem::create_symlink("usage.db", folder + "/link.db");
  std::filesystem::create_directory_symlink(folder, folder + "/again");
  {
    // The link dangles until the file is created through it.
    const auto store = Open(folder + "/link.db");
    EXPECT_TRUE(std::filesystem::exists(path));
    const std::string holder = "process " + std::to_string(getpid());
    ExpectOpenError(path, absl::StatusCode::kFailedPrecondition, holder);
    for (const char* name : {"/link.db", "/again/usage.db", "/./usage.db"}) {
      EXPECT_EQ(OpenSqliteStore(folder + name).status().code(),
                absl::StatusCode::kFailedPrecondition)
          << name;
    }
    store->Append("p", Records("a", 1)).value();
  }
  EXPECT_EQ(Count(Open(path).get()), 1);
}

TEST(SqliteOpenTest, TheLockEndsWithItsProcess) {
  const std::string path = NewFolder() + "/usage.db";
  const pid_t child = fork();
  if (child == 0) {
    auto store = OpenSqliteStore(path);
    if (store.ok()) (void)store->release();
    raise(SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_TRUE(std::filesystem::exists(path + ".lock"));
  EXPECT_NE(Open(path), nullptr);
}

TEST(SqliteOpenTest, WhatAKilledProcessLeftIsNotInTheWay) {
  const std::string path = NewFolder() + "/usage.db";
  const std::string left = path + ".new-" + std::to_string(getpid());
  WriteFile(left, "half a database");
  WriteFile(left + "-journal", "and its journal");
  Open(path)->Append("p", Records("a", 10)).value();
  EXPECT_FALSE(std::filesystem::exists(left));
  EXPECT_FALSE(std::filesystem::exists(left + "-journal"));
  EXPECT_EQ(Count(Open(path).get()), 10);
}

TEST(SqliteOpenTest, RefusesPathsThatCannotBeOpened) {
  const std::string folder = NewFolder();
  ExpectOpenError(folder + "/no/usage.db", absl::StatusCode::kNotFound, "");
  ExpectOpenError(folder, absl::StatusCode::kFailedPrecondition, "directory");
  std::filesystem::create_symlink("loop", folder + "/loop");
  ExpectOpenError(folder + "/loop", absl::StatusCode::kFailedPrecondition, "");
  WriteFile(folder + "/file", "");
  EXPECT_EQ(OpenSqliteStore(folder + "/file/usage.db").status().code(),
            absl::StatusCode::kNotFound);
}

// Expects that opening fails and leaves the file as it is.
void ExpectRefusedUntouched(const std::string& path, absl::StatusCode code,
                            const std::string& in_message) {
  const std::string before = ReadFile(path);
  ExpectOpenError(path, code, in_message);
  EXPECT_TRUE(ReadFile(path) == before) << path << " was changed";
}

TEST(SqliteOpenTest, RefusesForeignFiles) {
  constexpr auto kCode = absl::StatusCode::kFailedPrecondition;
  const std::string folder = NewFolder();
  WriteFile(folder + "/text", "total_tokens,input_tokens\n1,2\n");
  ExpectRefusedUntouched(folder + "/text", kCode, "not a SQLite database");
  WriteFile(folder + "/long", std::string(10000, '\0'));
  ExpectRefusedUntouched(folder + "/long", kCode, "not a SQLite database");
  RunSql(folder + "/other.db", "CREATE TABLE t(x); INSERT INTO t VALUES(1)");
  ExpectRefusedUntouched(folder + "/other.db", kCode, "application_id is 0");
  RunSql(folder + "/other.db", "PRAGMA journal_mode=WAL");
  ExpectRefusedUntouched(folder + "/other.db", kCode, "application_id is 0");
  // Nothing was put beside them either.
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    EXPECT_NE(entry.path().extension(), ".lock") << entry.path();
  }
}

TEST(SqliteOpenTest, RefusesOtherVersionsAndOtherTables) {
  constexpr auto kCode = absl::StatusCode::kFailedPrecondition;
  const std::string path = NewFolder() + "/usage.db";
  Open(path)->Append("p", Records("a", 10)).value();
  const auto set_version = [&path](int version) {
    RunSql(path, "PRAGMA user_version=" + std::to_string(version));
  };
  set_version(2);
  ExpectRefusedUntouched(path, kCode, "use a newer program");
  set_version(0);
  ExpectRefusedUntouched(path, kCode, "has version 0; this program knows 1");
  set_version(1);
  RunSql(path, "CREATE TABLE extra(x)");
  ExpectRefusedUntouched(path, kCode, "does not have the tables");
  RunSql(path, "DROP TABLE extra; DROP INDEX usage_record_by_time");
  ExpectRefusedUntouched(path, kCode, "does not have the tables");
}

TEST(SqliteOpenTest, ToleratesAnalyze) {
  const std::string path = NewFolder() + "/usage.db";
  Open(path)->Append("p", Records("a", 10)).value();
  RunSql(path, "ANALYZE");
  EXPECT_EQ(Count(Open(path).get()), 10);
}

class DamagedFileTest : public ::testing::Test {
 protected:
  DamagedFileTest() : path_(NewFolder() + "/usage.db") {
    Open(path_)->Append("p", Records("a", 2000)).value();
    content_ = ReadFile(path_);
  }

  const std::string path_;
  std::string content_;
};

TEST_F(DamagedFileTest, RefusesATruncatedFile) {
  for (const std::size_t size :
       {content_.size() / 2, content_.size() - 4096, std::size_t{5000},
        std::size_t{4096}, std::size_t{200}}) {
    WriteFile(path_, content_.substr(0, size));
    ExpectRefusedUntouched(path_, absl::StatusCode::kDataLoss, "damaged");
  }
}

TEST_F(DamagedFileTest, RefusesBrokenPages) {
  // The page size is 4096; the first page holds the tables' definitions.
  const std::size_t pages = content_.size() / 4096;
  ASSERT_GT(pages, 20u);
  for (std::size_t page = 0; page < pages; page += 7) {
    std::string damaged = content_;
    const std::size_t from = page == 0 ? 100 : 4096 * page;
    damaged.replace(from, 64, std::string(64, '\xa5'));
    WriteFile(path_, damaged);
    ExpectRefusedUntouched(path_, absl::StatusCode::kDataLoss, "damaged");
  }
}

TEST_F(DamagedFileTest, LeavesAFileWithALogAsItIs) {
  const std::string copy = NewFolder() + "/usage.db";
  {
    const auto store = Open(path_);
    store->Append("p", Records("b", 10)).value();
    WriteFile(copy + "-wal", ReadFile(path_ + "-wal"));
  }
  // The log holds newer versions of some of these pages; in the others the
  // damage is seen.
  for (std::size_t page = 5; page < content_.size() / 4096; page += 3) {
    content_.replace(4096 * page, 64, std::string(64, '\xa5'));
  }
  WriteFile(copy, content_);
  const std::string log = ReadFile(copy + "-wal");
  ExpectRefusedUntouched(copy, absl::StatusCode::kDataLoss, "damaged");
  EXPECT_TRUE(ReadFile(copy + "-wal") == log);
}

TEST_F(DamagedFileTest, RefusesALogWithoutItsDatabase) {
  const std::string copy = NewFolder() + "/usage.db";
  {
    const auto store = Open(path_);
    store->Append("p", Records("b", 10)).value();
    WriteFile(copy + "-wal", ReadFile(path_ + "-wal"));
  }
  const std::string log = ReadFile(copy + "-wal");
  ASSERT_FALSE(log.empty());
  ExpectOpenError(copy, absl::StatusCode::kDataLoss, "write-ahead log");
  WriteFile(copy, "");
  ExpectOpenError(copy, absl::StatusCode::kDataLoss, "write-ahead log");
  EXPECT_TRUE(ReadFile(copy + "-wal") == log);
  EXPECT_FALSE(std::filesystem::exists(copy + ".lock"));
}

TEST_F(DamagedFileTest, NamesSumsAndRecordsThatCannotBeRead) {
  RunSql(path_, "UPDATE rollup_hour SET measure_sums=x'01'");
  RunSql(path_, "UPDATE usage_record SET record=x'ff'");
  const auto store = Open(path_);
  const auto code = [](const auto& result) { return result.status().code(); };
  EXPECT_EQ(code(store->Query(
                QueryOf("2026-08-01T00:00:00Z", "2026-08-02T00:00:00Z"))),
            absl::StatusCode::kDataLoss);
  EXPECT_EQ(code(store->GetRecord("p", "a0")), absl::StatusCode::kDataLoss);
  EXPECT_EQ(code(store->ListRecords(
                RecordQueryOf("2026-08-01T00:00:00Z", "2026-08-02T00:00:00Z"))),
            absl::StatusCode::kDataLoss);
  EXPECT_EQ(code(store->Append("p", Records("a", 1))),
            absl::StatusCode::kDataLoss);
  EXPECT_EQ(code(store->Append("p", Records("new", 1))),
            absl::StatusCode::kDataLoss);
  // Quarter hours are intact: queries that do not touch the damage still work.
  EXPECT_THAT(
      store->Query(QueryOf("2026-08-01T12:00:00Z", "2026-08-01T12:15:00Z")),
      IsOk());
}

}  // namespace
}  // namespace tokenusage::testing
