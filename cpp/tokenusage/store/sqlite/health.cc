// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/sqlite/health.h"

#include <filesystem>
#include <memory>
#include <system_error>

#include "tokenusage/base/status_macros.h"
#include "tokenusage/store/sqlite/database.h"

namespace tokenusage {
namespace {

std::int64_t FileBytes(const std::string& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  return error ? 0 : static_cast<std::int64_t>(size);
}

}  // namespace

absl::Status CheckSqliteWritable(const std::string& path) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const std::unique_ptr<SqliteDatabase> database,
      SqliteDatabase::Open(path, SQLITE_OPEN_READWRITE));
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::int64_t version,
                              database->QueryInt64("PRAGMA user_version"));
  // SQLite writes the first page even if the number stays the same.
  return database->Execute(
      "PRAGMA synchronous=FULL;"
      "PRAGMA wal_autocheckpoint=0;BEGIN IMMEDIATE;"
      "PRAGMA user_version=" +
      std::to_string(version) + ";COMMIT");
}

std::int64_t SqliteLogBytes(const std::string& path) {
  return FileBytes(path + "-wal");
}

std::int64_t SqliteFileBytes(const std::string& path) {
  return FileBytes(path) + SqliteLogBytes(path);
}

}  // namespace tokenusage
