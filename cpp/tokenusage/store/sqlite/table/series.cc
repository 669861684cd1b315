// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/sqlite/table/series.h"

#include <string>

#include "tokenusage/base/status_macros.h"

namespace tokenusage {

absl::StatusOr<std::int64_t> FindProjectId(SqliteDatabase* database,
                                           std::string_view project) {
  return database->QueryInt64("SELECT project_id FROM project WHERE name=?1",
                              {project});
}

absl::Status ForEachSeries(SqliteDatabase* database, std::int64_t project_id,
                           const std::function<void(std::int64_t series_id,
                                                    SeriesNames names)>& each) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteRows rows,
      database->Select("SELECT series_id, operation, provider, model "
                       "FROM series WHERE project_id=?1",
                       {project_id}));
  for (;;) {
    TOKENUSAGE_ASSIGN_OR_RETURN(const bool row, rows.Step());
    if (!row) return absl::OkStatus();
    each(rows.Int64(0), SeriesNamesAt(rows, 1));
  }
}

SeriesNames SeriesNamesAt(const SqliteRows& row, int first_column) {
  return {std::string(row.Text(first_column)),
          std::string(row.Text(first_column + 1)),
          std::string(row.Text(first_column + 2))};
}

absl::Status ForEachLabelSet(
    SqliteDatabase* database, std::int64_t project_id,
    const std::function<void(std::int64_t label_set_id,
                             std::string_view labels)>& each) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteRows rows,
      database->Select(
          "SELECT label_set_id, labels FROM label_set WHERE project_id=?1",
          {project_id}));
  for (;;) {
    TOKENUSAGE_ASSIGN_OR_RETURN(const bool row, rows.Step());
    if (!row) return absl::OkStatus();
    each(rows.Int64(0), rows.Text(1));
  }
}

}  // namespace tokenusage
