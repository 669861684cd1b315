// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/copy/sqlite_source.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/store/rollup/stored_record.h"
#include "tokenusage/store/sqlite/deleted_project.h"
#include "tokenusage/store/sqlite/file.h"
#include "tokenusage/store/sqlite/horizon.h"
#include "tokenusage/store/sqlite/record_key.h"
#include "tokenusage/store/sqlite/rollups.h"
#include "tokenusage/store/sqlite/series.h"

namespace tokenusage {
absl::StatusOr<std::unique_ptr<SqliteSource>> SqliteSource::Open(
    const std::string& path) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::string real_path,
                              ResolveDatabasePath(path));
  TOKENUSAGE_ASSIGN_OR_RETURN(const bool exists,
                              InspectDatabaseFile(real_path));
  if (!exists) {
    return absl::NotFoundError("there is no database " + real_path);
  }
  TOKENUSAGE_ASSIGN_OR_RETURN(std::unique_ptr<SqliteDatabase> database,
                              OpenBeside(real_path));
  return std::unique_ptr<SqliteSource>(new SqliteSource(std::move(database)));
}

absl::StatusOr<std::vector<std::string>> SqliteSource::Projects() {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteStatement * select,
      database_->Cached("SELECT name FROM project ORDER BY name"));
  const SqliteStatement::Use use(select);
  std::vector<std::string> projects;
  for (;;) {
    TOKENUSAGE_ASSIGN_OR_RETURN(const bool row, select->Step());
    if (!row) return projects;
    if (!IsDeletedProject(select->Text(0))) {
      projects.emplace_back(select->Text(0));
    }
  }
}

absl::StatusOr<std::vector<SourceRecord>> SqliteSource::RecordsAfter(
    std::int64_t row_id, int limit) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteStatement * select,
      database_->Cached(
          "SELECT row_id, name, record, corrected_by FROM usage_record "
          "JOIN project USING(project_id) LEFT JOIN retention "
          "USING(project_id) WHERE row_id>?1 AND name NOT LIKE '%/%' AND "
          "event_time>=ifnull(horizon, 0)*1000000000 ORDER BY row_id "
          "LIMIT ?2"));
  const SqliteStatement::Use use(select);
  select->Bind(1, row_id);
  select->Bind(2, limit);
  std::vector<SourceRecord> records;
  for (;;) {
    TOKENUSAGE_ASSIGN_OR_RETURN(const bool row, select->Step());
    if (!row) return records;
    SourceRecord next;
    next.row_id = select->Int64(0);
    next.project = std::string(select->Text(1));
    TOKENUSAGE_RETURN_IF_ERROR(
        ReadStoredRecord(path(), select->Blob(2), &next.record));
    if (!select->IsNull(3)) {
      next.record.set_corrected_by(
          RecordIdOf({select->IsBlob(3), std::string(select->Blob(3))}));
    }
    records.push_back(std::move(next));
  }
}

absl::StatusOr<std::int64_t> SqliteSource::CountAfter(std::int64_t row_id) {
  return database_->QueryInt64(
      absl::StrCat("SELECT count(*) FROM usage_record WHERE row_id>", row_id));
}

absl::StatusOr<SqliteSource::RollupCursor> SqliteSource::ReadRollups(
    const std::string& project, std::int64_t cell_seconds, CellRange range) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::int64_t project_id,
                              FindProjectId(database_.get(), project));
  const SqliteRollupTable& table =
      cell_seconds == kHourSeconds ? kHourTable : kQuarterHourTable;
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteStatement * select,
      database_->Cached(absl::StrCat(
          "SELECT ", kRollupColumns,
          ", operation, provider, model, '' FROM "
          "series JOIN ",
          table.name,
          " USING(series_id) WHERE project_id=?1 AND cell_start>=?2 AND "
          "cell_start<?3 ORDER BY cell_start, operation, provider, model")));
  RollupCursor cursor(path(), cell_seconds, select);
  select->Bind(1, project_id);
  select->Bind(2, range.start_seconds);
  select->Bind(3, range.end_seconds);
  return cursor;
}

absl::StatusOr<std::int64_t> SqliteSource::LabelsFrom(
    const std::string& project) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::int64_t project_id,
                              FindProjectId(database_.get(), project));
  TOKENUSAGE_ASSIGN_OR_RETURN(const ProjectHorizon horizon,
                              ReadHorizons(database_.get(), project_id));
  return horizon.labels_nanos == kNoHorizon
             ? 0
             : horizon.labels_nanos / kNanosPerSecond;
}

absl::StatusOr<SqliteSource::RollupCursor> SqliteSource::ReadLabelRollups(
    const std::string& project, CellRange range) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::int64_t project_id,
                              FindProjectId(database_.get(), project));
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteStatement * select,
      database_->Cached(absl::StrCat(
          "SELECT ", kRollupColumns,
          ", operation, provider, model, labels FROM "
          "label_rollup_quarter AS cell JOIN series USING(series_id) "
          "JOIN label_set USING(label_set_id) WHERE cell.project_id=?1 AND "
          "cell_start>=?2 AND cell_start<?3 "
          "ORDER BY cell_start, operation, provider, model, labels")));
  RollupCursor cursor(path(), kQuarterHourSeconds, select);
  select->Bind(1, project_id);
  select->Bind(2, range.start_seconds);
  select->Bind(3, range.end_seconds);
  return cursor;
}

absl::StatusOr<std::optional<Rollups::value_type>>
SqliteSource::RollupCursor::Next() {
  // SQLite would start over if it were stepped after the last row.
  if (at_end_) return std::nullopt;
  TOKENUSAGE_ASSIGN_OR_RETURN(const bool row, select_.Step());
  at_end_ = !row;
  if (at_end_) return std::nullopt;
  UsageSum sum;
  TOKENUSAGE_RETURN_IF_ERROR(AddRollup(select_, path_, &sum));
  constexpr int kNames = kRollupColumnCount;
  const RollupKey key = {
      cell_seconds_,
      select_.Int64(kCellStartColumn),
      {std::string(select_.Text(kNames)), std::string(select_.Text(kNames + 1)),
       std::string(select_.Text(kNames + 2)),
       std::string(select_.Text(kNames + 3))}};
  return Rollups::value_type(key, std::move(sum));
}

}  // namespace tokenusage
