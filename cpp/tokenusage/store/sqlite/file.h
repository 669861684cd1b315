// SPDX-License-Identifier: Apache-2.0

// The database file before SQLite touches it: opening a file changes it, and a
// file that is not ours, or is damaged, must stay as it is.

#ifndef TOKENUSAGE_STORE_SQLITE_FILE_H_
#define TOKENUSAGE_STORE_SQLITE_FILE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tokenusage/store/sqlite/database.h"
#include "tokenusage/store/sqlite/schema.h"

namespace tokenusage {

// The absolute path without symbolic links; the file need not be there, its
// folder must.
//
// Errors: NOT_FOUND, PERMISSION_DENIED, FAILED_PRECONDITION (a folder, too many
// links).
absl::StatusOr<std::string> ResolveDatabasePath(const std::string& path);

// Whether there is a database; false where there is no file, or an empty one.
//
// Errors, each naming the path: FAILED_PRECONDITION where the file is not a
// database of tokenusage, of a version that is not from `oldest_version` to
// ours, or has several hard links;
// DATA_LOSS where it is gone but its write-ahead log is not; PERMISSION_DENIED,
// UNAVAILABLE where it cannot be read.
absl::StatusOr<bool> InspectDatabaseFile(
    const std::string& path,
    std::int32_t oldest_version = kSqliteSchemaVersion);

// DATA_LOSS where the database is damaged, FAILED_PRECONDITION where its tables
// are not ours. Leaves the file as it is.
//
// Pages are checked (`PRAGMA quick_check`) in files of up to 256 MiB, which
// takes a second or so; larger ones are opened without, and damage is found
// when it is read.
absl::Status CheckDatabase(const std::string& path);

// A connection to a database that InspectDatabaseFile has passed, which leaves
// the write-ahead log as it is when it closes, and whose tables are ours. For
// use beside a process that has the database open.
//
// Errors: FAILED_PRECONDITION where the tables are not ours, DATA_LOSS,
// UNAVAILABLE.
absl::StatusOr<std::unique_ptr<SqliteDatabase>> OpenBeside(
    const std::string& path,
    std::int32_t oldest_version = kSqliteSchemaVersion);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_SQLITE_FILE_H_
