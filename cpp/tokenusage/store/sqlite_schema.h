// The layout of the SQLite database, version 1.

#ifndef TOKENUSAGE_STORE_SQLITE_SCHEMA_H_
#define TOKENUSAGE_STORE_SQLITE_SCHEMA_H_

#include <array>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "tokenusage/record/token_counts.h"
#include "tokenusage/store/sqlite_database.h"

namespace tokenusage {

// Says that a SQLite file is ours: "tokn" in ASCII.
inline constexpr std::int32_t kSqliteApplicationId = 0x746F6B6E;

// Counted up with every change of the schema.
inline constexpr std::int32_t kSqliteSchemaVersion = 1;

// The rollup columns that hold the sums, by TokenMeasure.
inline constexpr std::array<const char*, kTokenMeasureCount> kSumColumns = {
    "total_tokens", "input_tokens", "output_tokens", "input_text_tokens",
    "input_image_tokens"};

// Creates the tables in an empty database, and marks it as ours, in one
// transaction.
absl::Status CreateSqliteSchema(SqliteDatabase* database);

// FAILED_PRECONDITION unless the database is marked as ours and has exactly the
// tables and indexes of this version. Names the path.
absl::Status CheckSqliteSchema(SqliteDatabase* database);

// FAILED_PRECONDITION, naming the path: not a database of this program.
absl::Status ForeignFileError(const std::string& path, const std::string& why);

// FAILED_PRECONDITION, naming the path, unless `version` is ours.
absl::Status CheckSchemaVersion(const std::string& path, std::int64_t version);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_SQLITE_SCHEMA_H_
