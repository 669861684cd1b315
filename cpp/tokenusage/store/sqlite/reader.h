// SPDX-License-Identifier: Apache-2.0

// Reads from the database beside the writer.

#ifndef TOKENUSAGE_STORE_SQLITE_READER_H_
#define TOKENUSAGE_STORE_SQLITE_READER_H_

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tokenusage/store/sqlite/database.h"
#include "tokenusage/store/store_maintenance.h"
#include "tokenusage/store/usage_query.h"

namespace tokenusage {

// A pool of connections that only read. Each call uses one of its own and sees
// one snapshot. Thread-safe.
class SqliteReader {
 public:
  // Opens the first connection, and keeps it: as long as there is one, SQLite
  // keeps the index of the write-ahead log, which whoever opens a database
  // first must write. So reads work even while the disk is full.
  static absl::StatusOr<std::unique_ptr<SqliteReader>> Open(std::string path);

  // See UsageStore.
  absl::StatusOr<UsageQueryPage> Query(const UsageQuery& query);
  absl::StatusOr<v1::UsageRecord> GetRecord(std::string_view project,
                                            std::string_view record_id);
  absl::StatusOr<RecordPage> ListRecords(const RecordQuery& query);
  absl::StatusOr<absl::Time> Horizon();
  absl::StatusOr<absl::Time> NewestRecordTime();
  absl::StatusOr<CheckReport> Check(const CheckOptions& options);

 private:
  explicit SqliteReader(std::string path) : path_(std::move(path)) {}

  // Calls read(connection) in a read transaction.
  template <typename Result, typename Read>
  absl::StatusOr<Result> InSnapshot(Read read);

  absl::StatusOr<std::unique_ptr<SqliteDatabase>> Take();
  void GiveBack(std::unique_ptr<SqliteDatabase> database);

  const std::string path_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<SqliteDatabase>> idle_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_SQLITE_READER_H_
