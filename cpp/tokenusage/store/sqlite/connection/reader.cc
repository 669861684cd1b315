// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/sqlite/connection/reader.h"

#include <cstddef>

namespace tokenusage {
namespace {

// Number of idle connections kept open.
constexpr std::size_t kMaxIdle = 8;

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteReader>> SqliteReader::Open(
    std::string path) {
  std::unique_ptr<SqliteReader> reader(new SqliteReader(std::move(path)));
  const auto first_read = reader->Read({}, [](SqliteDatabase* database) {
    return database->QueryInt64("PRAGMA schema_version");
  });
  TOKENUSAGE_RETURN_IF_ERROR(first_read.status());
  return reader;
}

absl::StatusOr<std::unique_ptr<SqliteDatabase>> SqliteReader::Take() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!idle_.empty()) {
      std::unique_ptr<SqliteDatabase> database = std::move(idle_.back());
      idle_.pop_back();
      return database;
    }
  }
  TOKENUSAGE_ASSIGN_OR_RETURN(
      std::unique_ptr<SqliteDatabase> database,
      SqliteDatabase::Open(path_, SQLITE_OPEN_READWRITE));
  TOKENUSAGE_RETURN_IF_ERROR(database->Execute("PRAGMA query_only=ON"));
  return database;
}

void SqliteReader::GiveBack(std::unique_ptr<SqliteDatabase> database) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (idle_.size() < kMaxIdle) idle_.push_back(std::move(database));
}

}  // namespace tokenusage
