// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/sqlite/rebuild.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/record/token_counts.h"
#include "tokenusage/store/deadline.h"
#include "tokenusage/store/query/query_plan.h"
#include "tokenusage/store/sqlite/horizon.h"
#include "tokenusage/store/sqlite/rollups.h"

namespace tokenusage {
namespace {

// So many cells are held in memory at a time, some 200 bytes each.
constexpr std::size_t kMaxCells = 200'000;

constexpr const char* kTables[] = {"rollup_quarter", "rollup_hour"};

absl::Status AddRecords(SqliteDatabase* database, std::int64_t horizon,
                        const CallLimits& limits, Rebuild* rebuild) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteStatement * select,
      database->Cached("SELECT row_id, series_id, event_time, record "
                       "FROM usage_record NOT INDEXED WHERE event_time>=?1"));
  const SqliteStatement::Use use(select);
  select->Bind(1, horizon);
  DeadlineCheck deadline(limits);
  SqliteRollups rollups;
  v1::UsageRecord record;
  for (;;) {
    TOKENUSAGE_ASSIGN_OR_RETURN(const bool row, select->Step());
    if (!row) return rollups.Flush(database);
    TOKENUSAGE_RETURN_IF_ERROR(deadline.Check());
    const std::string_view bytes = select->Blob(3);
    if (!record.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
      return DamagedError(database->path(),
                          absl::StrCat("the record of row ", select->Int64(0),
                                       " cannot be read"));
    }
    rollups.Add(select->Int64(1), select->Int64(2), CountsOf(record));
    ++rebuild->record_count;
    if (rollups.size() >= kMaxCells) {
      TOKENUSAGE_RETURN_IF_ERROR(rollups.Flush(database));
    }
  }
}

}  // namespace

absl::StatusOr<Rebuild> RebuildSqliteRollups(SqliteDatabase* database,
                                             const CallLimits& limits) {
  TOKENUSAGE_RETURN_IF_ERROR(DeadlineCheck(limits).CheckNow());
  TOKENUSAGE_RETURN_IF_ERROR(database->Execute("BEGIN IMMEDIATE"));
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::int64_t horizon,
                              ReadHorizon(database));
  const std::string cells =
      absl::StrCat(" WHERE cell_start>=", horizon / kNanosPerSecond);
  for (const char* table : kTables) {
    TOKENUSAGE_RETURN_IF_ERROR(
        database->Execute(absl::StrCat("DELETE FROM ", table, cells)));
  }
  Rebuild rebuild;
  TOKENUSAGE_RETURN_IF_ERROR(AddRecords(database, horizon, limits, &rebuild));
  for (const char* table : kTables) {
    TOKENUSAGE_ASSIGN_OR_RETURN(const std::string count,
                                database->QueryText(absl::StrCat(
                                    "SELECT count(*) FROM ", table, cells)));
    rebuild.cell_count += std::stoll("0" + count);
  }
  TOKENUSAGE_RETURN_IF_ERROR(database->Execute("COMMIT"));
  return rebuild;
}

}  // namespace tokenusage
