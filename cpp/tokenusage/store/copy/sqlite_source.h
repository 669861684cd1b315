// SPDX-License-Identifier: Apache-2.0

// Reads a whole SQLite database, to copy it elsewhere, while a service may
// write to it.

#ifndef TOKENUSAGE_STORE_COPY_SQLITE_SOURCE_H_
#define TOKENUSAGE_STORE_COPY_SQLITE_SOURCE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "tokenusage/store/rollup/rollup.h"
#include "tokenusage/store/sqlite/connection/database.h"
#include "tokenusage/store/sqlite/table/rollups.h"
#include "tokenusage/v1/usage_record.pb.h"

namespace tokenusage {

// Opens an existing database, which another process may have open. Errors:
// those of OpenSqliteStore; NOT_FOUND if there is no database.
absl::StatusOr<std::unique_ptr<SqliteDatabase>> OpenSqliteSource(
    const std::string& path);

// A record, in the order of arrival.
struct SourceRecord {
  std::int64_t row_id = 0;  // ascending
  std::string project;
  v1::UsageRecord record;  // with corrected_by
};

// Returns up to `limit` records that arrived after that of `row_id`, and are
// not before their project's horizon.
absl::StatusOr<std::vector<SourceRecord>> ReadRecordsAfter(
    SqliteDatabase* database, std::int64_t row_id, int limit);

// Returns the approximate number of records after that of `row_id`.
absl::StatusOr<std::int64_t> CountRecordsAfter(SqliteDatabase* database,
                                               std::int64_t row_id);

// Returns the time since which a project has rollups by label, in seconds; 0 if
// there is none.
absl::StatusOr<std::int64_t> ReadLabelsFrom(SqliteDatabase* database,
                                            const std::string& project);

// A project's rollups of one table, in the order of their key. Must not outlive
// the database.
class RollupCursor {
 public:
  // Begins to read a project's rollups in `range`. Only one cursor of a table
  // may exist at a time.
  static absl::StatusOr<RollupCursor> Open(SqliteDatabase* database,
                                           const std::string& project,
                                           const SqliteRollupTable& table,
                                           CellRange range);

  // Returns the next rollup; nullopt after the last one.
  absl::StatusOr<std::optional<Rollups::value_type>> Next();

 private:
  RollupCursor(std::string path, std::int64_t cell_seconds, SqliteRows rows)
      : path_(std::move(path)),
        cell_seconds_(cell_seconds),
        rows_(std::move(rows)) {}

  std::string path_;
  std::int64_t cell_seconds_;
  SqliteRows rows_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_COPY_SQLITE_SOURCE_H_
