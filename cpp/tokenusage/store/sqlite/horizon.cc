// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/sqlite/horizon.h"

#include <string>

#include "tokenusage/base/status_macros.h"
#include "tokenusage/store/query/query_plan.h"
#include "tokenusage/store/sqlite/series.h"

namespace tokenusage {
namespace {

// Converts a horizon as the table has it.
absl::Time TimeOfHorizon(std::int64_t seconds) {
  return seconds == 0 ? absl::InfinitePast() : absl::FromUnixSeconds(seconds);
}

}  // namespace

absl::StatusOr<std::int64_t> ReadHorizon(SqliteDatabase* database,
                                         std::int64_t project_id) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteStatement * select,
      database->Cached("SELECT horizon FROM retention "
                       "WHERE project_id=?1 AND horizon>0"));
  const SqliteStatement::Use use(select);
  select->Bind(1, project_id);
  TOKENUSAGE_ASSIGN_OR_RETURN(const bool found, select->Step());
  return found ? select->Int64(0) * kNanosPerSecond : kNoHorizon;
}

absl::StatusOr<ProjectHorizon> ReadHorizons(SqliteDatabase* database,
                                            std::int64_t project_id) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteStatement * select,
      database->Cached("SELECT labels_from FROM retention "
                       "WHERE project_id=?1 AND labels_from>0"));
  ProjectHorizon horizon;
  TOKENUSAGE_ASSIGN_OR_RETURN(horizon.nanos, ReadHorizon(database, project_id));
  const SqliteStatement::Use use(select);
  select->Bind(1, project_id);
  TOKENUSAGE_ASSIGN_OR_RETURN(const bool found, select->Step());
  if (found) horizon.labels_nanos = select->Int64(0) * kNanosPerSecond;
  return horizon;
}

absl::Status MoveHorizon(SqliteDatabase* database, std::int64_t project_id,
                         std::int64_t horizon_nanos) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteStatement * upsert,
      database->Cached(
          "INSERT INTO retention(project_id, horizon) VALUES(?1, ?2) "
          "ON CONFLICT(project_id) DO UPDATE "
          "SET horizon=max(horizon, excluded.horizon)"));
  upsert->Bind(1, project_id);
  upsert->Bind(2, horizon_nanos / kNanosPerSecond);
  return upsert->Run();
}

absl::StatusOr<std::vector<StoredProject>> ReadProjects(
    SqliteDatabase* database) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteStatement * select,
      database->Cached("SELECT name, ifnull(horizon, 0) "
                       "FROM project LEFT JOIN retention USING(project_id) "
                       "WHERE name NOT LIKE '%/%' ORDER BY name"));
  const SqliteStatement::Use use(select);
  std::vector<StoredProject> all;
  for (;;) {
    TOKENUSAGE_ASSIGN_OR_RETURN(const bool row, select->Step());
    if (!row) return all;
    all.push_back(
        {std::string(select->Text(0)), TimeOfHorizon(select->Int64(1))});
  }
}

absl::StatusOr<std::vector<ProjectRetention>> ReadRetention(
    SqliteDatabase* database) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteStatement * select,
      database->Cached(
          "SELECT name, ifnull(horizon, 0), ifnull(retain_seconds, 0), "
          "(SELECT event_time FROM usage_record INDEXED BY "
          "usage_record_by_time WHERE project_id=project.project_id "
          "ORDER BY event_time LIMIT 1), "
          "(SELECT event_time FROM usage_record INDEXED BY "
          "usage_record_by_time WHERE project_id=project.project_id "
          "ORDER BY event_time DESC LIMIT 1) "
          "FROM project LEFT JOIN retention USING(project_id) "
          "WHERE name NOT LIKE '%/%' ORDER BY name"));
  const SqliteStatement::Use use(select);
  std::vector<ProjectRetention> all;
  for (;;) {
    TOKENUSAGE_ASSIGN_OR_RETURN(const bool row, select->Step());
    if (!row) return all;
    const auto time = [select](int column) {
      return select->IsNull(column)
                 ? absl::InfinitePast()
                 : absl::FromUnixNanos(select->Int64(column));
    };
    all.push_back({std::string(select->Text(0)),
                   TimeOfHorizon(select->Int64(1)),
                   absl::Seconds(select->Int64(2)), time(3), time(4)});
  }
}

absl::Status WriteRetention(SqliteDatabase* database, std::string_view project,
                            absl::Duration retain) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteStatement * upsert,
      database->Cached(
          "INSERT INTO retention(project_id, horizon, retain_seconds) "
          "SELECT project_id, 0, nullif(?2, 0) FROM project WHERE name=?1 "
          "ON CONFLICT(project_id) DO UPDATE "
          "SET retain_seconds=excluded.retain_seconds"));
  upsert->BindText(1, project);
  upsert->Bind(2, absl::ToInt64Seconds(retain));
  TOKENUSAGE_RETURN_IF_ERROR(upsert->Run());
  return database->ChangedRows() == 0 ? absl::NotFoundError("no such project")
                                      : absl::OkStatus();
}

absl::StatusOr<RemovalStep> RemoveSomeRecords(SqliteDatabase* database,
                                              std::int64_t project_id,
                                              std::int64_t before_nanos) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteStatement * statement,
      database->Cached(
          "DELETE FROM usage_record WHERE row_id IN (SELECT row_id "
          "FROM usage_record INDEXED BY usage_record_by_time "
          "WHERE project_id=?1 AND event_time<?2 ORDER BY event_time "
          "LIMIT ?3)"));
  statement->Bind(1, project_id);
  statement->Bind(2, before_nanos);
  statement->Bind(3, kRowsPerRemovalStep);
  TOKENUSAGE_RETURN_IF_ERROR(statement->Run());
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
