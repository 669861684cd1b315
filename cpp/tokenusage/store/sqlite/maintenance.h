// SPDX-License-Identifier: Apache-2.0

// Maintains a SQLite database by its path: checks it, backs it up, deletes from
// it, or sets its retention, while a service may have it open.
//
//   absl::StatusOr<CheckReport> report =
//       CheckSqliteDatabase("/var/lib/tokenusage/usage.db", CheckOptions());
//
// Not for the process that has the database open as a UsageStore: closing the
// file would drop SQLite's locks on it.

#ifndef TOKENUSAGE_STORE_SQLITE_MAINTENANCE_H_
#define TOKENUSAGE_STORE_SQLITE_MAINTENANCE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tokenusage/store/store_maintenance.h"

namespace tokenusage {

// Errors of all functions here, each naming the path: NOT_FOUND if there is no
// database, FAILED_PRECONDITION if it is not one of tokenusage or has another
// version, DATA_LOSS if it is damaged, PERMISSION_DENIED, UNAVAILABLE.

// See StoreMaintenance::Check. Reads one snapshot, and neither waits for a
// service that has the database open nor blocks it. Meanwhile the write-ahead
// log can only grow.
absl::StatusOr<CheckReport> CheckSqliteDatabase(const std::string& path,
                                                const CheckOptions& options);

struct SqliteBackup {
  std::string path;        // absolute
  std::int64_t bytes = 0;  // its size
};

// Copies one snapshot of the database, under one read transaction, while a
// service may write to it; the write-ahead log can only grow meanwhile.
// The copy is one file with the permissions of the database; it is named
// `destination` only once it was checked for integrity and is on disk.
// `on_progress`, which may be empty, counts the bytes that are copied.
//
// Errors: as above, for either path; FAILED_PRECONDITION if `destination`
// exists.
absl::StatusOr<SqliteBackup> BackupSqliteDatabase(
    const std::string& path, const std::string& destination,
    const ProgressCallback& on_progress = nullptr);

// See StoreMaintenance: DeleteRecords, Deletions, DeleteProject. A service may
// have the database open. The two that delete take SQLite's write lock for up
// to 500 records, or 1,000 rows of a project, at a time, and then release it
// for as long as they held it, but at least 50 ms. After each such write, the
// service forgets what it caches.
//
// Errors: as above; UNAVAILABLE if the lock stays taken for a minute; NOT_FOUND
// if there is no such project.
absl::StatusOr<Removal> DeleteSqliteRecords(const std::string& path,
                                            const RecordSelection& selection,
                                            bool dry_run);
absl::StatusOr<std::vector<Deletion>> SqliteDeletions(const std::string& path);
absl::StatusOr<Removal> DeleteSqliteProject(const std::string& path,
                                            const std::string& project);

// See StoreMaintenance::SetRetention. A service may have the database open.
//
// Errors: as above; NOT_FOUND if there is no such project.
absl::Status SetSqliteRetention(const std::string& path,
                                const std::string& project,
                                absl::Duration retain);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_SQLITE_MAINTENANCE_H_
