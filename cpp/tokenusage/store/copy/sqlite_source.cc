// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/copy/sqlite_source.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/store/query/query_plan.h"
#include "tokenusage/store/sqlite/file.h"
#include "tokenusage/store/sqlite/horizon.h"
#include "tokenusage/store/sqlite/rollups.h"
#include "tokenusage/store/sqlite/schema.h"

namespace tokenusage {
namespace {

std::string CellsSql(const char* table) {
  std::string sql =
      "SELECT operation, provider, model, cell_start, record_count";
  for (const char* column : kSumColumns) absl::StrAppend(&sql, ", ", column);
  return absl::StrCat(sql, " FROM project JOIN series USING(project_id) JOIN ",
                      table,
                      " USING(series_id) WHERE name=?1 AND cell_start<?2");
}

}  // namespace

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
  TOKENUSAGE_ASSIGN_OR_RETURN(std::unique_ptr<SqliteReader> reader,
                              SqliteReader::Open(real_path));
  return std::unique_ptr<SqliteSource>(
      new SqliteSource(std::move(database), std::move(reader)));
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

absl::StatusOr<std::int64_t> SqliteSource::Horizon() {
  return ReadHorizon(database_.get());
}

absl::StatusOr<std::vector<SourceRecord>> SqliteSource::RecordsAfter(
    std::int64_t row_id, int limit) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::int64_t horizon, Horizon());
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteStatement * select,
      database_->Cached("SELECT row_id, name, record FROM usage_record "
                        "JOIN project USING(project_id) WHERE row_id>?1 "
                        "AND event_time>=?2 ORDER BY row_id LIMIT ?3"));
  const SqliteStatement::Use use(select);
  select->Bind(1, row_id);
  select->Bind(2, horizon);
  select->Bind(3, limit);
  std::vector<SourceRecord> records;
  for (;;) {
    TOKENUSAGE_ASSIGN_OR_RETURN(const bool row, select->Step());
    if (!row) return records;
    SourceRecord next;
    next.row_id = select->Int64(0);
    next.project = std::string(select->Text(1));
    const std::string_view bytes = select->Blob(2);
    if (!next.record.ParseFromArray(bytes.data(),
                                    static_cast<int>(bytes.size()))) {
      return DamagedError(path(), absl::StrCat("the record of row ",
                                               next.row_id, " cannot be read"));
    }
    records.push_back(std::move(next));
  }
}

absl::StatusOr<std::int64_t> SqliteSource::CountAfter(std::int64_t row_id) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteStatement * select,
      database_->Cached("SELECT count(*) FROM usage_record WHERE row_id>?1"));
  const SqliteStatement::Use use(select);
  select->Bind(1, row_id);
  TOKENUSAGE_RETURN_IF_ERROR(select->Step().status());
  return select->Int64(0);
}

absl::StatusOr<std::vector<SourceCell>> SqliteSource::CellsBeforeHorizon(
    const std::string& project) {
  std::vector<SourceCell> cells;
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::int64_t horizon, Horizon());
  if (horizon == kNoHorizon) return cells;
  for (const auto& [table, nanos] :
       {std::pair("rollup_quarter", kNanosPerQuarter),
        std::pair("rollup_hour", kNanosPerHour)}) {
    TOKENUSAGE_ASSIGN_OR_RETURN(SqliteStatement * select,
                                database_->Cached(CellsSql(table)));
    const SqliteStatement::Use use(select);
    select->BindText(1, project);
    select->Bind(2, horizon / kNanosPerSecond);
    for (;;) {
      TOKENUSAGE_ASSIGN_OR_RETURN(const bool row, select->Step());
      if (!row) break;
      SourceCell cell;
      cell.names = {std::string(select->Text(0)), std::string(select->Text(1)),
                    std::string(select->Text(2))};
      cell.cell_seconds = nanos / kNanosPerSecond;
      cell.cell_start = select->Int64(3);
      TOKENUSAGE_ASSIGN_OR_RETURN(cell.sum, ReadRollup(*select, 4, path()));
      cells.push_back(std::move(cell));
    }
  }
  return cells;
}

}  // namespace tokenusage
