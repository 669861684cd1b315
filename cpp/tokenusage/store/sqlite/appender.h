// SPDX-License-Identifier: Apache-2.0

// Writes records into the database, without threads.

#ifndef TOKENUSAGE_STORE_SQLITE_APPENDER_H_
#define TOKENUSAGE_STORE_SQLITE_APPENDER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tokenusage/record/checked_record.h"
#include "tokenusage/store/sqlite/database.h"
#include "tokenusage/store/sqlite/rollups.h"
#include "tokenusage/store/usage_store.h"

namespace tokenusage {

// The connection that writes: Begin, Append..., Commit. After an error it must
// be thrown away: its caches may be ahead of the database. One thread at a
// time.
class SqliteAppender {
 public:
  // Opens the database, which must have its tables, and switches it to WAL.
  static absl::StatusOr<std::unique_ptr<SqliteAppender>> Open(
      const std::string& path);

  absl::Status Begin();

  // Sets one outcome per record, in their order. They hold once Commit is OK.
  absl::Status Append(const std::string& project, const CheckedBatch& batch,
                      std::vector<AppendOutcome>* outcomes);

  // Returns when everything since Begin is on disk.
  absl::Status Commit();

  // The connection, for other work between Commit and Begin.
  SqliteDatabase* database() { return database_.get(); }

  // Must be called before Begin if other work may have changed rollups.
  void ForgetRollups() { rollups_.ForgetStored(); }

  // Must be called when projects were removed.
  void ForgetProjects();

 private:
  // A project with all its series, so that they can be counted.
  struct Project {
    std::int64_t project_id = 0;  // 0: not in the database yet
    absl::flat_hash_map<std::string, std::int64_t> series;
  };

  explicit SqliteAppender(std::unique_ptr<SqliteDatabase> database)
      : database_(std::move(database)) {}

  absl::StatusOr<Project*> FindProject(const std::string& name);
  absl::StatusOr<AppendOutcome> AppendOne(const std::string& project_name,
                                          const CheckedRecord& record,
                                          Project* project);
  // Returns kDuplicate or kConflict if there is a record with this id, else
  // kStored.
  absl::StatusOr<AppendOutcome> CompareWithStored(const CheckedRecord& record,
                                                  const Project& project);
  // Adds a series, and its project if that is new.
  absl::Status CreateSeries(const std::string& project_name,
                            const v1::UsageRecord& record,
                            const std::string& key, Project* project);
  // Returns whether the record was inserted: false if its id is taken.
  absl::StatusOr<bool> Insert(const CheckedRecord& record,
                              std::int64_t project_id, std::int64_t series_id);

  std::unique_ptr<SqliteDatabase> database_;
  absl::flat_hash_map<std::string, Project> projects_;
  std::size_t known_series_ = 0;
  std::int64_t horizon_ = 0;  // of this transaction, in nanoseconds
  SqliteRollups rollups_;
  std::string bytes_;  // reused to avoid reallocation
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_SQLITE_APPENDER_H_
