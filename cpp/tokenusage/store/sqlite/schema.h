// SPDX-License-Identifier: Apache-2.0

// The layout of the SQLite database, version 2.
//
// Version 1 had no table `retention`, and is the same otherwise.

#ifndef TOKENUSAGE_STORE_SQLITE_SCHEMA_H_
#define TOKENUSAGE_STORE_SQLITE_SCHEMA_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "tokenusage/store/sqlite/database.h"

namespace tokenusage {

// Marks a SQLite file as a database of tokenusage: "tokn" in ASCII.
inline constexpr std::int32_t kSqliteApplicationId = 0x746F6B6E;

// Incremented with every change of the schema.
inline constexpr std::int32_t kSqliteSchemaVersion = 2;

// The oldest version that MigrateSqliteSchema knows.
inline constexpr std::int32_t kOldestSqliteSchemaVersion = 1;

// Creates the tables in an empty database and marks it as one of tokenusage, in
// one transaction.
absl::Status CreateSqliteSchema(SqliteDatabase* database);

// Returns FAILED_PRECONDITION, naming the path, unless the database is marked
// as one of tokenusage, has a version from `oldest` to kSqliteSchemaVersion,
// and exactly the tables and indexes of its version.
absl::Status CheckSqliteSchema(SqliteDatabase* database,
                               std::int32_t oldest = kSqliteSchemaVersion);

// Returns the database's version, whatever it is.
absl::StatusOr<std::int64_t> ReadSchemaVersion(SqliteDatabase* database);

// Migrates a database that CheckSqliteSchema passes to kSqliteSchemaVersion, in
// one transaction.
absl::Status MigrateSqliteSchema(SqliteDatabase* database);

// Returns FAILED_PRECONDITION, naming the path: not a database of tokenusage.
absl::Status ForeignFileError(const std::string& path, const std::string& why);

// Returns FAILED_PRECONDITION, naming the path and the remedy, unless `version`
// is from `oldest` to kSqliteSchemaVersion.
absl::Status CheckSchemaVersion(const std::string& path, std::int64_t version,
                                std::int32_t oldest = kSqliteSchemaVersion);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_SQLITE_SCHEMA_H_
