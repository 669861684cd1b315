// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/copy/sqlite_source.h"

#include "absl/strings/str_cat.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/store/sqlite/file.h"
#include "tokenusage/store/sqlite/list.h"
#include "tokenusage/store/sqlite/table/horizon.h"
#include "tokenusage/store/sqlite/table/series.h"

namespace tokenusage {

absl::StatusOr<std::unique_ptr<SqliteDatabase>> OpenSqliteSource(
    const std::string& path) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::string real_path,
                              ResolveDatabasePath(path));
  TOKENUSAGE_ASSIGN_OR_RETURN(const bool exists,
                              InspectDatabaseFile(real_path));
  if (!exists) {
    return absl::NotFoundError("there is no database " + real_path);
  }
  return OpenBeside(real_path);
}

absl::StatusOr<std::vector<SourceRecord>> ReadRecordsAfter(
    SqliteDatabase* database, std::int64_t row_id, int limit) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteRows rows,
      database->Select(
          "SELECT row_id, name, record, corrected_by FROM usage_record "
          "JOIN project USING(project_id) LEFT JOIN retention "
          "USING(project_id) WHERE row_id>?1 AND name NOT LIKE '%/%' AND "
          "event_time>=ifnull(horizon, 0)*1000000000 ORDER BY row_id "
          "LIMIT ?2",
          {row_id, limit}));
  std::vector<SourceRecord> records;
  for (;;) {
    TOKENUSAGE_ASSIGN_OR_RETURN(const bool row, rows.Step());
    if (!row) return records;
    SourceRecord& next = records.emplace_back();
    next.row_id = rows.Int64(0);
    next.project = std::string(rows.Text(1));
    TOKENUSAGE_RETURN_IF_ERROR(
        ReadRecord(rows, 2, database->path(), &next.record));
  }
}

absl::StatusOr<std::int64_t> CountRecordsAfter(SqliteDatabase* database,
                                               std::int64_t row_id) {
  return database->QueryInt64(
      "SELECT count(*) FROM usage_record WHERE row_id>?1", {row_id});
}

absl::StatusOr<std::int64_t> ReadLabelsFrom(SqliteDatabase* database,
                                            const std::string& project) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::int64_t project_id,
                              FindProjectId(database, project));
  return database->QueryInt64(
      "SELECT labels_from FROM retention WHERE project_id=?1", {project_id});
}

absl::StatusOr<RollupCursor> RollupCursor::Open(SqliteDatabase* database,
                                                const std::string& project,
                                                const SqliteRollupTable& table,
                                                CellRange range) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::int64_t project_id,
                              FindProjectId(database, project));
  const std::string labels_of_project =
      table.by_label
          ? absl::StrCat("labels FROM ", table.name,
                         " AS cell JOIN series USING(series_id) JOIN label_set "
                         "USING(label_set_id) WHERE cell.project_id=?1")
          : absl::StrCat("'' AS labels FROM series JOIN ", table.name,
                         " USING(series_id) WHERE project_id=?1");
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteRows rows,
      database->Select(
          absl::StrCat("SELECT ", kRollupColumns,
                       ", operation, provider, model, ", labels_of_project,
                       " AND cell_start>=?2 AND cell_start<?3 "
                       "ORDER BY cell_start, operation, provider, model, "
                       "labels"),
          {project_id, range.start_seconds, range.end_seconds}));
  return RollupCursor(database->path(), table.cell_seconds, std::move(rows));
}

absl::StatusOr<std::optional<Rollups::value_type>> RollupCursor::Next() {
  TOKENUSAGE_ASSIGN_OR_RETURN(const bool row, rows_.Step());
  if (!row) return std::nullopt;
  UsageSum sum;
  TOKENUSAGE_RETURN_IF_ERROR(AddRollup(rows_, path_, &sum));
  SeriesNames names = SeriesNamesAt(rows_, kRollupColumnCount);
  names.labels = std::string(rows_.Text(kRollupColumnCount + 3));
  return Rollups::value_type(
      {cell_seconds_, rows_.Int64(kCellStartColumn), std::move(names)},
      std::move(sum));
}

}  // namespace tokenusage
