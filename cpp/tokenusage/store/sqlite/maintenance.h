// SPDX-License-Identifier: Apache-2.0

// What operators do with a SQLite database by its path: look at it and copy it
// beside the service that has it open, and bring it to this program's version.
//
//   absl::StatusOr<CheckReport> report =
//       CheckSqliteDatabase("/var/lib/tokenusage/usage.db", CheckOptions());
//
// Not for the process that has the database open as a UsageStore: closing the
// file would drop the locks that SQLite has on it.

#ifndef TOKENUSAGE_STORE_SQLITE_MAINTENANCE_H_
#define TOKENUSAGE_STORE_SQLITE_MAINTENANCE_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "tokenusage/store/store_maintenance.h"

namespace tokenusage {

// Errors of all three, each naming the path: NOT_FOUND where there is no
// database, FAILED_PRECONDITION where it is not one of tokenusage or of another
// version, DATA_LOSS where it is damaged, PERMISSION_DENIED, UNAVAILABLE.

// See UsageStore::Check. Beside a service that has the database open it looks
// at one moment of it, and neither waits for the other. Meanwhile the
// write-ahead log can only grow.
absl::StatusOr<CheckReport> CheckSqliteDatabase(const std::string& path,
                                                const CheckOptions& options);

struct SqliteBackup {
  std::string path;        // absolute
  std::int64_t bytes = 0;  // its size
};

// Copies the database as it is at one moment, in one step under one read
// transaction, beside a service that may go on writing; the write-ahead log can
// only grow meanwhile. The copy is one file, checked for integrity, on disk,
// and in its place under `destination` only when it is all that; it has the
// permissions of the database. Older versions are copied, too.
//
// Errors: as above, for either path; FAILED_PRECONDITION where `destination` is
// there already.
absl::StatusOr<SqliteBackup> BackupSqliteDatabase(
    const std::string& path, const std::string& destination);

struct SqliteMigration {
  std::int64_t from_version = 0;
  std::int64_t to_version = 0;  // this program's
};

// Brings the database to this program's version, in one transaction. Does
// nothing where it is of that version already.
//
// Errors: as above, and FAILED_PRECONDITION where another process has it open.
absl::StatusOr<SqliteMigration> MigrateSqliteDatabase(const std::string& path);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_SQLITE_MAINTENANCE_H_
