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
#include "tokenusage/store/sqlite/database.h"
#include "tokenusage/store/sqlite/horizon.h"
#include "tokenusage/store/sqlite/label_rollups.h"
#include "tokenusage/store/sqlite/record_deletion.h"
#include "tokenusage/v1/usage_record.pb.h"

namespace tokenusage {

// A record, in the order of arrival.
struct SourceRecord {
  std::int64_t row_id = 0;  // ascending
  std::string project;
  v1::UsageRecord record;  // with corrected_by
};

// One thread at a time.
class SqliteSource {
 public:
  // A project's rollups of one cell length, in the order of their key. One at a
  // time; must not outlive the source.
  class RollupCursor {
   public:
    // Returns the next rollup; nullopt after the last one.
    absl::StatusOr<std::optional<Rollups::value_type>> Next();

   private:
    friend class SqliteSource;
    RollupCursor(const std::string& path, std::int64_t cell_seconds,
                 SqliteStatement* select)
        : path_(path),
          cell_seconds_(cell_seconds),
          use_(std::make_unique<SqliteStatement::Use>(select)),
          select_(*select) {}

    const std::string& path_;
    const std::int64_t cell_seconds_;
    std::unique_ptr<SqliteStatement::Use> use_;
    SqliteStatement& select_;
    bool at_end_ = false;
  };

  // Opens an existing database, which another process may have open. Errors:
  // those of OpenSqliteStore; NOT_FOUND if there is no database.
  static absl::StatusOr<std::unique_ptr<SqliteSource>> Open(
      const std::string& path);

  // The absolute path.
  const std::string& path() const { return database_->path(); }

  // Returns the projects by name, without those that are being deleted.
  absl::StatusOr<std::vector<std::string>> Projects();

  // Returns the labels that the rollups are kept by.
  absl::StatusOr<RollupLabels> Labels() {
    absl::StatusOr<SqliteLabelState> state = ReadLabelState(database_.get());
    if (!state.ok()) return state.status();
    return state->labels;
  }

  // Returns the time since which a project has rollups by label, in seconds; 0
  // if there is none.
  absl::StatusOr<std::int64_t> LabelsFrom(const std::string& project);

  // See StoreMaintenance::Retention.
  absl::StatusOr<std::vector<ProjectRetention>> Retention() {
    return ReadRetention(database_.get());
  }

  // See StoreMaintenance::Deletions.
  absl::StatusOr<std::vector<Deletion>> Deletions() {
    return ReadDeletions(database_.get());
  }

  // Returns up to `limit` records that arrived after that of `row_id`, and are
  // not before their project's horizon.
  absl::StatusOr<std::vector<SourceRecord>> RecordsAfter(std::int64_t row_id,
                                                         int limit);

  // Returns the approximate number of records after that of `row_id`.
  absl::StatusOr<std::int64_t> CountAfter(std::int64_t row_id);

  // Reads the rollups without labels.
  absl::StatusOr<RollupCursor> ReadRollups(const std::string& project,
                                           std::int64_t cell_seconds,
                                           CellRange range);

  // Reads the quarter hours by label.
  absl::StatusOr<RollupCursor> ReadLabelRollups(const std::string& project,
                                                CellRange range);

 private:
  explicit SqliteSource(std::unique_ptr<SqliteDatabase> database)
      : database_(std::move(database)) {}

  std::unique_ptr<SqliteDatabase> database_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_COPY_SQLITE_SOURCE_H_
