// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/sqlite/reader.h"

#include <cstddef>
#include <utility>

#include "tokenusage/base/status_macros.h"
#include "tokenusage/store/query/query_plan.h"
#include "tokenusage/store/sqlite/check.h"
#include "tokenusage/store/sqlite/horizon.h"
#include "tokenusage/store/sqlite/list.h"
#include "tokenusage/store/sqlite/query.h"

namespace tokenusage {
namespace {

// As many connections are kept open between calls.
constexpr std::size_t kMaxIdle = 8;

// Whether a connection may have come to harm.
bool IsStoreError(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDataLoss(status);
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteReader>> SqliteReader::Open(
    std::string path) {
  std::unique_ptr<SqliteReader> reader(new SqliteReader(std::move(path)));
  TOKENUSAGE_RETURN_IF_ERROR(
      reader
          ->InSnapshot<std::string>([](SqliteDatabase* database) {
            return database->QueryText("PRAGMA schema_version");
          })
          .status());
  return reader;
}

absl::StatusOr<UsageQueryPage> SqliteReader::Query(const UsageQuery& query) {
  return InSnapshot<UsageQueryPage>([&query](SqliteDatabase* database) {
    return QueryUsage(database, query);
  });
}

absl::StatusOr<v1::UsageRecord> SqliteReader::GetRecord(
    std::string_view project, std::string_view record_id) {
  return InSnapshot<v1::UsageRecord>(
      [project, record_id](SqliteDatabase* database) {
        return GetUsageRecord(database, project, record_id);
      });
}

absl::StatusOr<RecordPage> SqliteReader::ListRecords(const RecordQuery& query) {
  return InSnapshot<RecordPage>([&query](SqliteDatabase* database) {
    return ListUsageRecords(database, query);
  });
}

absl::StatusOr<absl::Time> SqliteReader::Horizon() {
  return InSnapshot<absl::Time>(
      [](SqliteDatabase* database) -> absl::StatusOr<absl::Time> {
        TOKENUSAGE_ASSIGN_OR_RETURN(const std::int64_t horizon,
                                    ReadHorizon(database));
        return horizon == kNoHorizon ? absl::InfinitePast()
                                     : absl::FromUnixNanos(horizon);
      });
}

absl::StatusOr<absl::Time> SqliteReader::NewestRecordTime() {
  return InSnapshot<absl::Time>(&ReadNewestRecordTime);
}

absl::StatusOr<CheckReport> SqliteReader::Check(const CheckOptions& options) {
  return InSnapshot<CheckReport>([&options](SqliteDatabase* database) {
    return CheckSqliteContent(database, options);
  });
}

template <typename Result, typename Read>
absl::StatusOr<Result> SqliteReader::InSnapshot(Read read) {
  TOKENUSAGE_ASSIGN_OR_RETURN(std::unique_ptr<SqliteDatabase> database, Take());
  TOKENUSAGE_RETURN_IF_ERROR(database->Execute("BEGIN"));
  absl::StatusOr<Result> result = read(database.get());
  if (IsStoreError(result.status())) return result;
  TOKENUSAGE_RETURN_IF_ERROR(database->Execute("ROLLBACK"));
  GiveBack(std::move(database));
  return result;
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
