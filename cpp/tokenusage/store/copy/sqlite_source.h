// SPDX-License-Identifier: Apache-2.0

// Reads a SQLite database from end to end, to move it elsewhere, also beside a
// service that writes to it.

#ifndef TOKENUSAGE_STORE_COPY_SQLITE_SOURCE_H_
#define TOKENUSAGE_STORE_COPY_SQLITE_SOURCE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tokenusage/record/token_counts.h"
#include "tokenusage/store/query/field_values.h"
#include "tokenusage/store/sqlite/database.h"
#include "tokenusage/store/sqlite/reader.h"
#include "tokenusage/store/usage_query.h"
#include "tokenusage/v1/usage_record.pb.h"

namespace tokenusage {

// A record, in the order of arrival.
struct SourceRecord {
  std::int64_t row_id = 0;  // rises
  std::string project;
  v1::UsageRecord record;
};

// The sum of a series in a quarter or an hour.
struct SourceCell {
  SeriesNames names;
  std::int64_t cell_seconds = 0;
  std::int64_t cell_start = 0;  // seconds since 1970
  UsageSum sum;
};

// One thread at a time.
class SqliteSource {
 public:
  // Errors: those of OpenSqliteStore but that the database may be open
  // elsewhere; NOT_FOUND where there is none.
  static absl::StatusOr<std::unique_ptr<SqliteSource>> Open(
      const std::string& path);

  // The absolute path.
  const std::string& path() const { return database_->path(); }

  // By name, without those that are being deleted.
  absl::StatusOr<std::vector<std::string>> Projects();

  // In nanoseconds; kNoHorizon where there is none.
  absl::StatusOr<std::int64_t> Horizon();

  // At most `limit` records that arrived after that of `row_id`, and are not
  // before the horizon.
  absl::StatusOr<std::vector<SourceRecord>> RecordsAfter(std::int64_t row_id,
                                                         int limit);

  // How many there are after it, about.
  absl::StatusOr<std::int64_t> CountAfter(std::int64_t row_id);

  // A project's sums from before the horizon.
  absl::StatusOr<std::vector<SourceCell>> CellsBeforeHorizon(
      const std::string& project);

  // See UsageStore.
  absl::StatusOr<UsageQueryPage> Query(const UsageQuery& query) {
    return reader_->Query(query);
  }

 private:
  SqliteSource(std::unique_ptr<SqliteDatabase> database,
               std::unique_ptr<SqliteReader> reader)
      : database_(std::move(database)), reader_(std::move(reader)) {}

  std::unique_ptr<SqliteDatabase> database_;
  std::unique_ptr<SqliteReader> reader_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_COPY_SQLITE_SOURCE_H_
