// SPDX-License-Identifier: Apache-2.0

// The bound of SQLite's write-ahead log.

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "sqlite3.h"
#include "tests/store/queries.h"
#include "tests/store/sqlite/sqlite_files.h"
#include "tests/support/records.h"
#include "tokenusage/store/sqlite/store.h"

namespace tokenusage::testing {
namespace {

constexpr char kNoon[] = "2026-08-01T12:00:00Z";
constexpr std::int64_t kLogBytes = 1 << 20;
// More than one commit of this test writes.
constexpr std::int64_t kCommitBytes = 1 << 20;

class SqliteLogTest : public ::testing::Test {
 protected:
  SqliteLogTest() {
    SqliteStoreOptions options;
    options.log_bytes = kLogBytes;
    store_ = OpenSqliteStore(path_, options).value();
  }

  std::int64_t LogBytes() const {
    return static_cast<std::int64_t>(
        std::filesystem::file_size(path_ + "-wal"));
  }

  // Appends 30 records, in random order of their ids, and thus to many pages.
  void Append() {
    std::vector<v1::UsageRecord> records;
    for (int i = 0; i < 30; ++i) {
      const std::uint64_t number = ++records_ * 0x9E3779B97F4A7C15u;
      records.push_back(RecordAt(std::to_string(number), kNoon, 1));
      (*records.back().mutable_labels())["team"] = std::to_string(i % 10);
    }
    store_->Append("p", CheckedOf(records)).value();
    max_log_bytes_ = std::max(max_log_bytes_, LogBytes());
  }

  // Reads every record.
  void Query() {
    UsageQuery query = QueryOf("2026-08-01T00:00:00Z", "2026-08-02T00:00:00Z");
    query.group_by = {LabelField("team")};
    ASSERT_EQ(store_->Query(query).value().rows.size(), 10u);
  }

  // Appends until the log is within its bound: the writer starts the log over
  // only after it has answered.
  void AwaitBound() {
    const absl::Time give_up = absl::Now() + absl::Seconds(20);
    do {
      Append();
      absl::SleepFor(absl::Milliseconds(10));
    } while (LogBytes() > kLogBytes + kCommitBytes && absl::Now() < give_up);
    EXPECT_LE(LogBytes(), kLogBytes + kCommitBytes);
  }

  const std::string path_ = NewFolder() + "/usage.db";
  std::unique_ptr<UsageStore> store_;
  std::uint64_t records_ = 0;
  std::int64_t max_log_bytes_ = 0;
};

TEST_F(SqliteLogTest, IsBoundedWhileReadsOverlapWithoutEnd) {
  for (int i = 0; i < 60; ++i) Append();
  std::atomic<bool> stop{false};
  std::atomic<int> queries{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 4; ++i) {
    readers.emplace_back([&] {
      while (!stop) {
        Query();
        ++queries;
      }
    });
  }
  max_log_bytes_ = 0;
  for (int i = 0; i < 80; ++i) Append();
  stop = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_GE(queries, 4);
  EXPECT_LE(max_log_bytes_, 4 * kLogBytes + kCommitBytes);
  AwaitBound();
}

TEST_F(SqliteLogTest, AReaderOfAnotherProcessDelaysNothing) {
  Append();
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(path_.c_str(), &other), SQLITE_OK);
  sqlite3_stmt* select = nullptr;
  ASSERT_EQ(sqlite3_prepare_v2(other, "SELECT record_id FROM usage_record", -1,
                               &select, nullptr),
            SQLITE_OK);
  ASSERT_EQ(sqlite3_step(select), SQLITE_ROW);
  const absl::Time start = absl::Now();
  while (LogBytes() < 8 * kLogBytes) {
    Append();
    Query();
    ASSERT_LT(absl::Now() - start, absl::Seconds(30));
  }
  sqlite3_finalize(select);
  sqlite3_close(other);
  // Then it is bounded again.
  AwaitBound();
  max_log_bytes_ = 0;
  for (int i = 0; i < 30; ++i) Append();
  EXPECT_LE(max_log_bytes_, kLogBytes + kCommitBytes);
}

}  // namespace
}  // namespace tokenusage::testing
