// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/sqlite/table/horizon.h"

#include <string>

#include "tokenusage/base/status_macros.h"
#include "tokenusage/store/sqlite/table/series.h"

namespace tokenusage {

absl::StatusOr<std::int64_t> ReadHorizon(SqliteDatabase* database,
                                         std::int64_t project_id) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const ProjectHorizon horizon,
                              ReadHorizons(database, project_id));
  return horizon.nanos;
}

absl::StatusOr<ProjectHorizon> ReadHorizons(SqliteDatabase* database,
                                            std::int64_t project_id) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteRows rows, database->Select("SELECT horizon, labels_from "
                                        "FROM retention WHERE project_id=?1",
                                        {project_id}));
  TOKENUSAGE_ASSIGN_OR_RETURN(const bool found, rows.Step());
  ProjectHorizon horizon;
  if (!found) return horizon;
  horizon.nanos = HorizonNanos(rows.Int64(0));
  horizon.labels_nanos = HorizonNanos(rows.Int64(1));
  return horizon;
}

absl::Status MoveHorizon(SqliteDatabase* database, std::int64_t project_id,
                         std::int64_t horizon_nanos) {
  return database->Run(
      "INSERT INTO retention(project_id, horizon) VALUES(?1, ?2) "
      "ON CONFLICT(project_id) DO UPDATE "
      "SET horizon=max(horizon, excluded.horizon)",
      {project_id, horizon_nanos / kNanosPerSecond});
}

absl::StatusOr<std::vector<StoredProject>> ReadProjects(
    SqliteDatabase* database) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteRows rows,
      database->Select("SELECT name, ifnull(horizon, 0) "
                       "FROM project LEFT JOIN retention USING(project_id) "
                       "WHERE name NOT LIKE '%/%' ORDER BY name"));
  std::vector<StoredProject> all;
  for (;;) {
    TOKENUSAGE_ASSIGN_OR_RETURN(const bool row, rows.Step());
    if (!row) return all;
    all.push_back(
        {std::string(rows.Text(0)), HorizonTime(HorizonNanos(rows.Int64(1)))});
  }
}

absl::StatusOr<std::vector<ProjectRetention>> ReadRetention(
    SqliteDatabase* database) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteRows rows,
      database->Select(
          "SELECT name, ifnull(horizon, 0), ifnull(retain_seconds, 0), "
          "(SELECT event_time FROM usage_record INDEXED BY "
          "usage_record_by_time WHERE project_id=project.project_id "
          "ORDER BY event_time LIMIT 1), "
          "(SELECT event_time FROM usage_record INDEXED BY "
          "usage_record_by_time WHERE project_id=project.project_id "
          "ORDER BY event_time DESC LIMIT 1) "
          "FROM project LEFT JOIN retention USING(project_id) "
          "WHERE name NOT LIKE '%/%' ORDER BY name"));
  std::vector<ProjectRetention> all;
  for (;;) {
    TOKENUSAGE_ASSIGN_OR_RETURN(const bool row, rows.Step());
    if (!row) return all;
    const auto time = [&rows](int column) {
      return rows.IsNull(column) ? absl::InfinitePast()
                                 : absl::FromUnixNanos(rows.Int64(column));
    };
    all.push_back({std::string(rows.Text(0)),
                   HorizonTime(HorizonNanos(rows.Int64(1))),
                   absl::Seconds(rows.Int64(2)), time(3), time(4)});
  }
}

absl::Status WriteRetention(SqliteDatabase* database, std::string_view project,
                            absl::Duration retain) {
  TOKENUSAGE_RETURN_IF_ERROR(database->Run(
      "INSERT INTO retention(project_id, horizon, retain_seconds) "
      "SELECT project_id, 0, nullif(?2, 0) FROM project WHERE name=?1 "
      "ON CONFLICT(project_id) DO UPDATE "
      "SET retain_seconds=excluded.retain_seconds",
      {project, absl::ToInt64Seconds(retain)}));
  return database->ChangedRows() == 0 ? absl::NotFoundError("no such project")
                                      : absl::OkStatus();
}

absl::StatusOr<RemovalStep> RemoveSomeRecords(SqliteDatabase* database,
                                              std::int64_t project_id,
                                              std::int64_t before_nanos) {
  TOKENUSAGE_RETURN_IF_ERROR(database->Run(
      "DELETE FROM usage_record WHERE row_id IN (SELECT row_id "
      "FROM usage_record INDEXED BY usage_record_by_time "
      "WHERE project_id=?1 AND event_time<?2 ORDER BY event_time LIMIT ?3)",
      {project_id, before_nanos, kRowsPerRemovalStep}));
  RemovalStep step;
  step.record_count = database->ChangedRows();
  step.done = step.record_count < kRowsPerRemovalStep;
  return step;
}

absl::StatusOr<RemovalStep> RemoveBeforeHorizon(SqliteDatabase* database,
                                                std::int64_t project_id) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::int64_t horizon,
                              ReadHorizon(database, project_id));
  return RemoveSomeRecords(database, project_id, horizon);
}

}  // namespace tokenusage
