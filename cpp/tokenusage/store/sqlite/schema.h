// SPDX-License-Identifier: Apache-2.0

// The layout of the SQLite database, version 2.
//
// Version 1 had no table `horizon`, and is the same otherwise.

#ifndef TOKENUSAGE_STORE_SQLITE_SCHEMA_H_
#define TOKENUSAGE_STORE_SQLITE_SCHEMA_H_

#include <array>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "tokenusage/record/token_counts.h"
#include "tokenusage/store/sqlite/database.h"

namespace tokenusage {

// Says that a SQLite file is ours: "tokn" in ASCII.
inline constexpr std::int32_t kSqliteApplicationId = 0x746F6B6E;

// Counted up with every change of the schema.
inline constexpr std::int32_t kSqliteSchemaVersion = 2;

// The oldest version that MigrateSqliteSchema knows.
inline constexpr std::int32_t kOldestSqliteSchemaVersion = 1;

// The rollup columns that hold the sums, by TokenMeasure.
inline constexpr std::array<const char*, kTokenMeasureCount> kSumColumns = {
    "total_tokens", "input_tokens", "output_tokens", "input_text_tokens",
    "input_image_tokens"};

// Creates the tables in an empty database, and marks it as ours, in one
// transaction.
absl::Status CreateSqliteSchema(SqliteDatabase* database);

// FAILED_PRECONDITION unless the database is marked as ours, has a version from
// `oldest` to ours, and exactly the tables and indexes of its version. Names
// the path.
absl::Status CheckSqliteSchema(SqliteDatabase* database,
                               std::int32_t oldest = kSqliteSchemaVersion);

// The version that the database says it has.
absl::StatusOr<std::int64_t> ReadSchemaVersion(SqliteDatabase* database);

// Brings a database that CheckSqliteSchema passes to this version, in one
// transaction.
absl::Status MigrateSqliteSchema(SqliteDatabase* database);

// FAILED_PRECONDITION, naming the path: not a database of this program.
absl::Status ForeignFileError(const std::string& path, const std::string& why);

// FAILED_PRECONDITION, naming the path, unless `version` is from `oldest` to
// ours. Says what to do about it.
absl::Status CheckSchemaVersion(const std::string& path, std::int64_t version,
                                std::int32_t oldest = kSqliteSchemaVersion);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_SQLITE_SCHEMA_H_
