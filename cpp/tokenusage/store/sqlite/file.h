// SPDX-License-Identifier: Apache-2.0

// Inspects the database file before SQLite touches it: opening a file changes
// it, and a foreign or damaged file must stay as it is.

#ifndef TOKENUSAGE_STORE_SQLITE_FILE_H_
#define TOKENUSAGE_STORE_SQLITE_FILE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tokenusage/store/sqlite/connection/database.h"

namespace tokenusage {

// Returns the absolute path without symbolic links. The file need not exist,
// but its folder must.
//
// Errors: NOT_FOUND, PERMISSION_DENIED, FAILED_PRECONDITION (a folder, too many
// links).
absl::StatusOr<std::string> ResolveDatabasePath(const std::string& path);

// Returns a file's size; 0 if there is none.
std::int64_t FileBytes(const std::string& path);

// Returns whether there is a database: false if the file is missing or empty.
//
// Errors, each naming the path: FAILED_PRECONDITION if the file is not a
// database of tokenusage, has another version than kSqliteSchemaVersion, or has
// several hard links; DATA_LOSS if it is missing or empty but its write-ahead
// log is not; PERMISSION_DENIED or UNAVAILABLE if it cannot be read.
absl::StatusOr<bool> InspectDatabaseFile(const std::string& path);

// Returns PERMISSION_DENIED, naming the file and its owner, if this process may
// not write the database, or a file of SQLite's beside it. Files that do not
// exist are writable.
absl::Status CheckDatabaseIsWritable(const std::string& path);

// Returns DATA_LOSS if the database is damaged, FAILED_PRECONDITION if its
// tables are not those of CheckSqliteSchema. Leaves the file as it is.
//
// In files of up to 256 MiB the pages are checked (`PRAGMA quick_check`), which
// takes a second or so; in larger ones damage is found when it is read.
absl::Status CheckDatabase(const std::string& path);

// Returns a connection for use while another process has the database open.
// When it closes, it leaves a write-ahead log as it is, and removes what SQLite
// created beside the file. If this process may not write the file or its
// folder, the connection only reads, and creates nothing. Requires that
// InspectDatabaseFile passed the file.
//
// Errors: those of CheckSqliteSchema; DATA_LOSS, UNAVAILABLE.
absl::StatusOr<std::unique_ptr<SqliteDatabase>> OpenBeside(
    const std::string& path);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_SQLITE_FILE_H_
