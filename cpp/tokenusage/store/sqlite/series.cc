// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/sqlite/series.h"

#include <string>

#include "tokenusage/base/status_macros.h"

namespace tokenusage {

absl::StatusOr<std::int64_t> FindProjectId(SqliteDatabase* database,
                                           std::string_view project) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteStatement * select,
      database->Cached("SELECT project_id FROM project WHERE name=?1"));
  const SqliteStatement::Use use(select);
  select->BindText(1, project);
  TOKENUSAGE_ASSIGN_OR_RETURN(const bool found, select->Step());
  return found ? select->Int64(0) : 0;
}

absl::StatusOr<std::int64_t> FindSeriesId(SqliteDatabase* database,
                                          std::int64_t project_id,
                                          const v1::UsageRecord& record) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteStatement * select,
      database->Cached("SELECT series_id FROM series WHERE project_id=?1 AND "
                       "operation=?2 AND provider=?3 AND model=?4"));
  const SqliteStatement::Use use(select);
  select->Bind(1, project_id);
  select->BindText(2, record.operation());
  select->BindText(3, record.provider());
  select->BindText(4, record.model());
  TOKENUSAGE_ASSIGN_OR_RETURN(const bool found, select->Step());
  return found ? select->Int64(0) : 0;
}

absl::StatusOr<std::int64_t> CountSeries(SqliteDatabase* database,
                                         std::int64_t project_id) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteStatement * select,
      database->Cached(
          "SELECT (SELECT count(*) FROM series WHERE project_id=?1)+"
          "(SELECT count(*) FROM label_set WHERE project_id=?1)"));
  const SqliteStatement::Use use(select);
  select->Bind(1, project_id);
  TOKENUSAGE_RETURN_IF_ERROR(select->Step().status());
  return select->Int64(0);
}

absl::Status ForEachSeries(SqliteDatabase* database, std::int64_t project_id,
                           const std::function<void(std::int64_t series_id,
                                                    SeriesNames names)>& each) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteStatement * select,
      database->Cached("SELECT series_id, operation, provider, model "
                       "FROM series WHERE project_id=?1"));
  const SqliteStatement::Use use(select);
  select->Bind(1, project_id);
  for (;;) {
    TOKENUSAGE_ASSIGN_OR_RETURN(const bool row, select->Step());
    if (!row) return absl::OkStatus();
    each(select->Int64(0),
         {std::string(select->Text(1)), std::string(select->Text(2)),
          std::string(select->Text(3))});
  }
}

absl::Status ForEachLabelSet(
    SqliteDatabase* database, std::int64_t project_id,
    const std::function<void(std::int64_t label_set_id,
                             std::string_view labels)>& each) {
  TOKENUSAGE_ASSIGN_OR_RETURN(SqliteStatement * select,
                              database->Cached("SELECT label_set_id, labels "
                                               "FROM label_set "
                                               "WHERE project_id=?1"));
  const SqliteStatement::Use use(select);
  select->Bind(1, project_id);
  for (;;) {
    TOKENUSAGE_ASSIGN_OR_RETURN(const bool row, select->Step());
    if (!row) return absl::OkStatus();
    each(select->Int64(0), select->Text(1));
  }
}

}  // namespace tokenusage
