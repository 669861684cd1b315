// SPDX-License-Identifier: Apache-2.0

// The layout of the SQLite database.

#ifndef TOKENUSAGE_STORE_SQLITE_TABLE_SCHEMA_H_
#define TOKENUSAGE_STORE_SQLITE_TABLE_SCHEMA_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "tokenusage/store/sqlite/connection/database.h"

namespace tokenusage {

// Marks a SQLite file as a database of tokenusage: "tokn" in ASCII.
inline constexpr std::int32_t kSqliteApplicationId = 0x746F6B6E;

// Incremented with every change of the schema.
inline constexpr std::int32_t kSqliteSchemaVersion = 1;

// Creates the tables in an empty database and marks it as one of tokenusage, in
// one transaction.
absl::Status CreateSqliteSchema(SqliteDatabase* database);

// Returns FAILED_PRECONDITION, naming the path, unless the database is marked
// as one of tokenusage, of kSqliteSchemaVersion, and has exactly its tables and
// indexes.
absl::Status CheckSqliteSchema(SqliteDatabase* database);

// Returns FAILED_PRECONDITION, naming the path: not a database of tokenusage.
absl::Status ForeignFileError(const std::string& path, const std::string& why);

// Returns FAILED_PRECONDITION, naming the path and, for a newer version, the
// remedy, unless `version` is kSqliteSchemaVersion.
absl::Status CheckSchemaVersion(const std::string& path, std::int64_t version);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_SQLITE_TABLE_SCHEMA_H_
