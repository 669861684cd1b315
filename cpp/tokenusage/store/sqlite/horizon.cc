// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/sqlite/horizon.h"

#include "tokenusage/base/status_macros.h"
#include "tokenusage/store/query/query_plan.h"

namespace tokenusage {
namespace {

constexpr int kProjectsPerStep = 1000;

// Returns the first project whose id is not less than `project_id`; 0 if there
// is none.
absl::StatusOr<std::int64_t> NextProject(SqliteDatabase* database,
                                         std::int64_t project_id) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteStatement * next,
      database->Cached("SELECT project_id FROM project WHERE project_id>=?1 "
                       "ORDER BY project_id LIMIT 1"));
  const SqliteStatement::Use use(next);
  next->Bind(1, project_id);
  TOKENUSAGE_ASSIGN_OR_RETURN(const bool found, next->Step());
  return found ? next->Int64(0) : 0;
}

}  // namespace

absl::StatusOr<std::int64_t> ReadHorizon(SqliteDatabase* database) {
  TOKENUSAGE_ASSIGN_OR_RETURN(SqliteStatement * select,
                              database->Cached("SELECT seconds FROM horizon"));
  const SqliteStatement::Use use(select);
  TOKENUSAGE_ASSIGN_OR_RETURN(const bool found, select->Step());
  return found ? select->Int64(0) * kNanosPerSecond : kNoHorizon;
}

absl::StatusOr<std::int64_t> MoveHorizon(SqliteDatabase* database,
                                         std::int64_t horizon_nanos) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::int64_t present,
                              ReadHorizon(database));
  if (present >= horizon_nanos) return present;
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteStatement * replace,
      database->Cached("INSERT OR REPLACE INTO horizon VALUES(1, ?1)"));
  replace->Bind(1, horizon_nanos / kNanosPerSecond);
  TOKENUSAGE_RETURN_IF_ERROR(replace->Run());
  return horizon_nanos;
}

absl::StatusOr<absl::Time> ReadNewestRecordTime(SqliteDatabase* database) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::int64_t horizon,
                              ReadHorizon(database));
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteStatement * select,
      database->Cached(
          "SELECT (SELECT event_time FROM usage_record INDEXED BY "
          "usage_record_by_time WHERE project_id=project.project_id "
          "ORDER BY event_time DESC LIMIT 1) AS newest "
          "FROM project WHERE name NOT LIKE '%/%' AND newest>=?1 "
          "ORDER BY newest DESC LIMIT 1"));
  const SqliteStatement::Use use(select);
  select->Bind(1, horizon);
  TOKENUSAGE_ASSIGN_OR_RETURN(const bool found, select->Step());
  return found ? absl::FromUnixNanos(select->Int64(0)) : absl::InfinitePast();
}

absl::StatusOr<std::int64_t> DeleteRecordsBefore(SqliteDatabase* database,
                                                 std::int64_t project_id,
                                                 std::int64_t before_nanos,
                                                 std::int64_t limit) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteStatement * statement,
      database->Cached(
          "DELETE FROM usage_record WHERE row_id IN (SELECT row_id "
          "FROM usage_record INDEXED BY usage_record_by_time "
          "WHERE project_id=?1 AND event_time<?2 ORDER BY event_time "
          "LIMIT ?3)"));
  statement->Bind(1, project_id);
  statement->Bind(2, before_nanos);
  statement->Bind(3, limit);
  TOKENUSAGE_RETURN_IF_ERROR(statement->Run());
  return database->ChangedRows();
}

absl::StatusOr<RemovalStep> RemoveSomeRecords(SqliteDatabase* database,
                                              std::int64_t* project_id) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::int64_t horizon,
                              ReadHorizon(database));
  RemovalStep step;
  for (int projects = 0; projects < kProjectsPerStep; ++projects) {
    TOKENUSAGE_ASSIGN_OR_RETURN(*project_id,
                                NextProject(database, *project_id));
    if (*project_id == 0) {
      step.done = true;
      return step;
    }
    const std::int64_t limit = kRowsPerRemovalStep - step.record_count;
    TOKENUSAGE_ASSIGN_OR_RETURN(
        const std::int64_t removed,
        DeleteRecordsBefore(database, *project_id, horizon, limit));
    step.record_count += removed;
    if (removed == limit) return step;
    ++*project_id;
  }
  return step;
}

}  // namespace tokenusage
