// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/sqlite/horizon.h"

#include <initializer_list>

#include "absl/strings/str_cat.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/store/query/query_plan.h"

namespace tokenusage {
namespace {

// A step's share: some milliseconds of work, so that appends hardly wait.
constexpr std::int64_t kRowsPerStep = 1000;
constexpr int kProjectsPerStep = 1000;

// Runs a DELETE with these parameters; returns how many rows went.
absl::StatusOr<std::int64_t> Delete(
    SqliteDatabase* database, const std::string& sql,
    std::initializer_list<std::int64_t> parameters) {
  TOKENUSAGE_ASSIGN_OR_RETURN(SqliteStatement * statement,
                              database->Cached(sql));
  int index = 0;
  for (const std::int64_t parameter : parameters) {
    statement->Bind(++index, parameter);
  }
  TOKENUSAGE_RETURN_IF_ERROR(statement->Run());
  return database->ChangedRows();
}

absl::StatusOr<std::int64_t> DeleteRecords(SqliteDatabase* database,
                                           std::int64_t project_id,
                                           std::int64_t before_nanos,
                                           std::int64_t limit) {
  return Delete(
      database,
      "DELETE FROM usage_record WHERE row_id IN (SELECT row_id "
      "FROM usage_record INDEXED BY usage_record_by_time "
      "WHERE project_id=?1 AND event_time<?2 ORDER BY event_time LIMIT ?3)",
      {project_id, before_nanos, limit});
}

absl::StatusOr<std::int64_t> DeleteCells(SqliteDatabase* database,
                                         const std::string& table,
                                         std::int64_t project_id) {
  return Delete(
      database,
      absl::StrCat("DELETE FROM ", table,
                   " WHERE (series_id, cell_start) IN (SELECT series_id, "
                   "cell_start FROM ",
                   table,
                   " WHERE series_id IN (SELECT series_id FROM series "
                   "WHERE project_id=?1) LIMIT ?2)"),
      {project_id, kRowsPerStep});
}

// The first row's id, from a statement with its parameters; 0 where there is no
// row.
absl::StatusOr<std::int64_t> FirstId(SqliteStatement* select) {
  const SqliteStatement::Use use(select);
  TOKENUSAGE_ASSIGN_OR_RETURN(const bool found, select->Step());
  return found ? select->Int64(0) : 0;
}

// A project that is being deleted, of that former name or, where it is empty,
// of any; 0 where there is none.
absl::StatusOr<std::int64_t> FindDeletedProject(SqliteDatabase* database,
                                                const std::string& project) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteStatement * find,
      database->Cached("SELECT project_id FROM project WHERE name GLOB ?1 "
                       "ORDER BY project_id LIMIT 1"));
  const std::string pattern =
      absl::StrCat("deleted/*/", project.empty() ? "*" : project);
  find->BindText(1, pattern);
  return FirstId(find);
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

bool IsDeletedProject(std::string_view name) {
  return name.find('/') != std::string_view::npos;
}

absl::StatusOr<bool> RenameDeletedProject(SqliteDatabase* database,
                                          const std::string& project) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteStatement * rename,
      database->Cached("UPDATE project SET name='deleted/' || project_id || "
                       "'/' || name WHERE name=?1"));
  rename->BindText(1, project);
  TOKENUSAGE_RETURN_IF_ERROR(rename->Run());
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::int64_t id,
                              FindDeletedProject(database, project));
  return id != 0;
}

absl::StatusOr<RemovalStep> RemoveSomeRecords(SqliteDatabase* database,
                                              std::int64_t* project_id) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::int64_t horizon,
                              ReadHorizon(database));
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteStatement * next,
      database->Cached("SELECT project_id FROM project WHERE project_id>=?1 "
                       "ORDER BY project_id LIMIT 1"));
  RemovalStep step;
  for (int projects = 0; projects < kProjectsPerStep; ++projects) {
    next->Bind(1, *project_id);
    TOKENUSAGE_ASSIGN_OR_RETURN(*project_id, FirstId(next));
    if (*project_id == 0) {
      step.done = true;
      return step;
    }
    const std::int64_t limit = kRowsPerStep - step.record_count;
    TOKENUSAGE_ASSIGN_OR_RETURN(
        const std::int64_t removed,
        DeleteRecords(database, *project_id, horizon, limit));
    step.record_count += removed;
    if (removed == limit) return step;
    ++*project_id;
  }
  return step;
}

absl::StatusOr<RemovalStep> RemoveSomeOfDeletedProjects(
    SqliteDatabase* database, const std::string& project) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::int64_t id,
                              FindDeletedProject(database, project));
  RemovalStep step;
  if (id == 0) {
    step.done = true;
    return step;
  }
  TOKENUSAGE_ASSIGN_OR_RETURN(
      step.record_count, DeleteRecords(database, id, INT64_MAX, kRowsPerStep));
  if (step.record_count > 0) return step;
  for (const char* table : {"rollup_quarter", "rollup_hour"}) {
    TOKENUSAGE_ASSIGN_OR_RETURN(const std::int64_t removed,
                                DeleteCells(database, table, id));
    if (removed > 0) return step;
  }
  for (const char* table : {"series", "project"}) {
    TOKENUSAGE_RETURN_IF_ERROR(
        Delete(database,
               absl::StrCat("DELETE FROM ", table, " WHERE project_id=?1"),
               {id})
            .status());
  }
  return step;
}

}  // namespace tokenusage
