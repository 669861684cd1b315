// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/sqlite/rebuild.h"

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/record/token_counts.h"
#include "tokenusage/store/deadline.h"
#include "tokenusage/store/rollup/stored_record.h"
#include "tokenusage/store/sqlite/rollups.h"

namespace tokenusage {
namespace {

// The most rollups in memory, about 200 bytes each.
constexpr std::size_t kMaxRollups = 200'000;

// Appended to a statement on a table of rollups.
constexpr char kAfterHorizon[] =
    " WHERE cell_start>=ifnull((SELECT horizon FROM series "
    "JOIN retention USING(project_id) WHERE series.series_id=cell.series_id), "
    "cell_start)";

absl::Status AddRecords(SqliteDatabase* database, const CallLimits& limits,
                        Rebuild* rebuild) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteStatement * select,
      database->Cached(
          "SELECT series_id, event_time, record FROM usage_record NOT INDEXED "
          "WHERE event_time>=ifnull((SELECT horizon*1000000000 FROM retention "
          "WHERE project_id=usage_record.project_id), event_time)"));
  const SqliteStatement::Use use(select);
  DeadlineCheck deadline(limits);
  SqliteRollups rollups;
  v1::UsageRecord record;
  for (;;) {
    TOKENUSAGE_ASSIGN_OR_RETURN(const bool row, select->Step());
    if (!row) return rollups.Flush(database);
    TOKENUSAGE_RETURN_IF_ERROR(deadline.Check());
    TOKENUSAGE_RETURN_IF_ERROR(
        ReadStoredRecord(database->path(), select->Blob(2), &record));
    rollups.Add(select->Int64(0), select->Int64(1), CountsOf(record));
    ++rebuild->record_count;
    if (rollups.size() >= kMaxRollups) {
      TOKENUSAGE_RETURN_IF_ERROR(rollups.Flush(database));
    }
  }
}

}  // namespace

absl::StatusOr<Rebuild> RebuildSqliteRollups(SqliteDatabase* database,
                                             const CallLimits& limits) {
  TOKENUSAGE_RETURN_IF_ERROR(CheckLimits(limits));
  TOKENUSAGE_RETURN_IF_ERROR(database->Execute("BEGIN IMMEDIATE"));
  for (const SqliteRollupTable& table : {kQuarterHourTable, kHourTable}) {
    TOKENUSAGE_RETURN_IF_ERROR(database->Execute(
        absl::StrCat("DELETE FROM ", table.name, " AS cell", kAfterHorizon)));
  }
  Rebuild rebuild;
  TOKENUSAGE_RETURN_IF_ERROR(AddRecords(database, limits, &rebuild));
  for (const SqliteRollupTable& table : {kQuarterHourTable, kHourTable}) {
    TOKENUSAGE_ASSIGN_OR_RETURN(
        const std::int64_t count,
        database->QueryInt64(absl::StrCat("SELECT count(*) FROM ", table.name,
                                          " AS cell", kAfterHorizon)));
    rebuild.rollup_count += count;
  }
  TOKENUSAGE_RETURN_IF_ERROR(database->Execute("COMMIT"));
  return rebuild;
}

}  // namespace tokenusage
