// SPDX-License-Identifier: Apache-2.0

// Writes records into the database, without threads.

#ifndef TOKENUSAGE_STORE_SQLITE_APPENDER_H_
#define TOKENUSAGE_STORE_SQLITE_APPENDER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tokenusage/record/checked_record.h"
#include "tokenusage/store/lru_cache.h"
#include "tokenusage/store/sqlite/connection/database.h"
#include "tokenusage/store/sqlite/table/label_rollups.h"
#include "tokenusage/store/sqlite/table/rollups.h"
#include "tokenusage/store/usage_store.h"

namespace tokenusage {

// The connection that writes: Begin, Append..., Commit. After an error it must
// be discarded: its caches may be ahead of the database. One thread at a time.
class SqliteAppender {
 public:
  // Opens the database, which must have its tables, and switches it to WAL.
  // `max_series` is the limit of a project: see RollupOptions.
  // Caches up to `max_known_series` each of series, label sets and projects.
  static absl::StatusOr<std::unique_ptr<SqliteAppender>> Open(
      const std::string& path, int max_series, std::size_t max_known_series);

  // Begins a transaction, and forgets what is cached if something else wrote to
  // the database since the last one.
  absl::Status Begin();

  // Inserts the records, and adds one outcome per record, in their order. The
  // outcomes hold once Commit is OK.
  absl::Status Append(const std::string& project, const CheckedBatch& batch,
                      std::vector<AppendOutcome>* outcomes);

  // Commits the transaction. Returns when everything since Begin is on disk.
  absl::Status Commit();

  // Returns the connection, for other work between Commit and Begin.
  SqliteDatabase* database() { return database_.get(); }

  // Makes the next Begin forget what is cached. Must be called after other work
  // on the connection that may have changed records, rollups, projects or
  // series.
  void Forget() { data_version_ = kUnknownVersion; }

  // Returns the rollups by label. Folding, rebuilding and changing the keys are
  // other work, in transactions of the caller.
  SqliteLabelRollups& label_rollups() { return label_rollups_; }

  // Starts the write-ahead log over. Does nothing if something reads from it.
  // Not between Begin and Commit.
  absl::Status RestartLog();

 private:
  struct Project {
    std::int64_t project_id = 0;  // 0: not in the database yet
    std::int64_t horizon = 0;     // in nanoseconds
    // With label sets. Counted when it is first needed.
    std::optional<std::int64_t> series_count;
  };

  SqliteAppender(std::unique_ptr<SqliteDatabase> database, int max_series,
                 std::size_t max_known_series)
      : database_(std::move(database)),
        max_series_(max_series),
        projects_(max_known_series),
        series_(max_known_series),
        label_rollups_(max_known_series) {}

  // A stored record that another one corrects.
  struct Corrected {
    SqliteStoredRecord stored;
    v1::UsageRecord record;
  };

  absl::StatusOr<Project*> FindProject(const std::string& name);
  // Returns the id of a series; 0 if the project has no such series.
  absl::StatusOr<std::int64_t> FindSeries(const Project& project,
                                          const v1::UsageRecord& record);
  absl::StatusOr<AppendOutcome> AppendOne(const std::string& project_name,
                                          const CheckedRecord& record,
                                          Project* project);
  // Returns the reason to refuse a record whose id is not taken, other than
  // kCardinalityLimit; kStored if there is none. Sets corrected_ if the record
  // corrects one.
  absl::StatusOr<AppendOutcome> FindRefusal(const CheckedRecord& record,
                                            const Project& project);
  absl::StatusOr<AppendOutcome> FindCorrected(const std::string& record_id,
                                              const Project& project);
  // Stops counting corrected_, which the record corrects.
  absl::Status Correct(const v1::UsageRecord& record);
  // Returns kDuplicate or kConflict if there is a record with this id,
  // otherwise kStored.
  absl::StatusOr<AppendOutcome> CompareWithStored(const CheckedRecord& record,
                                                  const Project& project);
  // Returns whether the project has the record's label set. Sets label_set_,
  // and label_set_id_ if so.
  absl::StatusOr<bool> HasLabelSet(const Project& project,
                                   const v1::UsageRecord& record);
  // Adds the project if it is new, the record's series if `series_id` is 0, and
  // label_set_ unless `has_label_set`. Returns the id of the series, or 0 if
  // the project would exceed max_series_: then nothing is added.
  absl::StatusOr<std::int64_t> CreateSeries(const std::string& project_name,
                                            const v1::UsageRecord& record,
                                            std::int64_t series_id,
                                            bool has_label_set,
                                            Project* project);
  absl::StatusOr<std::int64_t> InsertSeries(const v1::UsageRecord& record,
                                            const Project& project);
  // Inserts the record. Returns false if its id is taken.
  absl::StatusOr<bool> Insert(const CheckedRecord& record,
                              std::int64_t project_id, std::int64_t series_id,
                              bool inconsistent);

  static constexpr std::int64_t kUnknownVersion = -1;

  std::unique_ptr<SqliteDatabase> database_;
  // Changes with the commits of other connections.
  std::int64_t data_version_ = kUnknownVersion;
  const std::int64_t max_series_;
  LruCache<Project> projects_;
  LruCache<std::int64_t> series_;  // ids, by SeriesCacheKey
  SqliteRollups rollups_;
  SqliteLabelRollups label_rollups_;
  // Reused to avoid reallocation.
  std::string bytes_;
  std::string label_set_;          // of the record that is being appended
  std::int64_t label_set_id_ = 0;  // of the same
  Corrected corrected_;            // by the record that is being appended
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_SQLITE_APPENDER_H_
