// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/sqlite/deleted_project.h"

#include <cstdint>
#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/store/deadline.h"
#include "tokenusage/store/sqlite/record_deletion.h"
#include "tokenusage/store/sqlite/table/rollups.h"
#include "tokenusage/store/sqlite/table/series.h"

namespace tokenusage {
namespace {

struct DeletedProject {
  std::int64_t project_id = 0;  // 0: there is none
  std::int64_t deletion_id = 0;
};

// Returns a deleted project that had this name, or any if it is empty.
absl::StatusOr<DeletedProject> FindDeletedProject(SqliteDatabase* database,
                                                  const std::string& project) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteRows rows,
      database->Select(
          "SELECT project_id, "
          "CAST(substr(name, length('deleted/') + 1) AS INTEGER) "
          "FROM project WHERE name>='deleted/' AND name<'deleted0' "
          "AND name GLOB ?1 ORDER BY project_id LIMIT 1",
          {absl::StrCat("deleted/*/", project.empty() ? "*" : project)}));
  TOKENUSAGE_ASSIGN_OR_RETURN(const bool found, rows.Step());
  if (!found) return DeletedProject();
  return DeletedProject{rows.Int64(0), rows.Int64(1)};
}

// Deletes some rollups of a project, and returns their number.
absl::StatusOr<std::int64_t> DeleteRollups(SqliteDatabase* database,
                                           const SqliteRollupTable& table,
                                           std::int64_t project_id) {
  const char* const key =
      table.by_label ? "project_id, cell_start, label_set_id, series_id"
                     : "series_id, cell_start";
  const char* const condition =
      table.by_label
          ? "project_id=?1"
          : "series_id IN (SELECT series_id FROM series WHERE project_id=?1)";
  TOKENUSAGE_RETURN_IF_ERROR(
      database->Run(absl::StrCat("DELETE FROM ", table.name, " WHERE (", key,
                                 ") IN (SELECT ", key, " FROM ", table.name,
                                 " WHERE ", condition, " LIMIT ?2)"),
                    {project_id, kRowsPerRemovalStep}));
  return database->ChangedRows();
}

// Renames a project to be deleted. Returns whether there is data of a project
// of this name to remove, now or from an interrupted deletion.
absl::StatusOr<bool> Rename(SqliteDatabase* database,
                            const std::string& project) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::int64_t project_id,
                              FindProjectId(database, project));
  if (project_id == 0) {
    TOKENUSAGE_ASSIGN_OR_RETURN(const DeletedProject deleted,
                                FindDeletedProject(database, project));
    return deleted.project_id != 0;
  }
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::int64_t deletion_id,
                              AddDeletion(database, project, kWholeProject));
  TOKENUSAGE_RETURN_IF_ERROR(database->Execute(
      absl::StrCat("UPDATE project SET name='deleted/", deletion_id,
                   "/' || name WHERE project_id=", project_id)));
  return true;
}

// Removes some data of a deleted project whose name was `project`, or of any if
// that is empty.
absl::StatusOr<RemovalStep> RemoveSome(SqliteDatabase* database,
                                       const std::string& project) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const DeletedProject deleted,
                              FindDeletedProject(database, project));
  const std::int64_t id = deleted.project_id;
  RemovalStep step;
  step.done = id == 0;
  if (step.done) return step;
  TOKENUSAGE_ASSIGN_OR_RETURN(
      step, RemoveSomeRecords(database, id,
                              std::numeric_limits<std::int64_t>::max()));
  step.done = false;
  if (step.record_count > 0) {
    TOKENUSAGE_RETURN_IF_ERROR(
        CountDeleted(database, deleted.deletion_id, step.record_count));
    return step;
  }
  for (const SqliteRollupTable& table :
       {kQuarterHourTable, kHourTable, kLabelQuarterHourTable,
        kLabelMonthTable}) {
    TOKENUSAGE_ASSIGN_OR_RETURN(const std::int64_t removed,
                                DeleteRollups(database, table, id));
    if (removed > 0) return step;
  }
  TOKENUSAGE_RETURN_IF_ERROR(database->Execute(
      absl::StrCat("DELETE FROM series WHERE project_id=", id,
                   ";DELETE FROM label_set WHERE project_id=", id,
                   ";DELETE FROM retention WHERE project_id=", id,
                   ";DELETE FROM project WHERE project_id=", id)));
  return step;
}

absl::StatusOr<Removal> RemoveAll(const CallLimits& limits,
                                  const std::string& project,
                                  SqliteTransactions* transactions) {
  return RemoveInSteps(
      limits,
      [&project](SqliteDatabase* database) {
        return RemoveSome(database, project);
      },
      transactions);
}

}  // namespace

bool IsDeletedProject(std::string_view name) {
  return name.find('/') != std::string_view::npos;
}

absl::StatusOr<Removal> DeleteProjectInSteps(const std::string& project,
                                             const CallLimits& limits,
                                             SqliteTransactions* transactions) {
  TOKENUSAGE_RETURN_IF_ERROR(CheckLimits(limits));
  bool found = false;
  TOKENUSAGE_RETURN_IF_ERROR(
      transactions->Write([&](SqliteDatabase* database) -> absl::Status {
        TOKENUSAGE_ASSIGN_OR_RETURN(found, Rename(database, project));
        return absl::OkStatus();
      }));
  if (!found) return absl::NotFoundError("no such project");
  absl::StatusOr<Removal> removal = RemoveAll(limits, project, transactions);
  if (removal.ok()) return removal;
  return absl::Status(
      removal.status().code(),
      absl::StrCat("project ", project,
                   " is deleted, but some of its data is left: delete it again "
                   "to remove the rest: ",
                   removal.status().message()));
}

absl::Status RemoveDeletedProjects(const CallLimits& limits,
                                   SqliteTransactions* transactions) {
  return RemoveAll(limits, "", transactions).status();
}

absl::StatusOr<Removal> RemoveInSteps(
    const CallLimits& limits,
    const std::function<absl::StatusOr<RemovalStep>(SqliteDatabase*)>& step,
    SqliteTransactions* transactions) {
  Removal removal;
  RemovalStep result;
  while (!result.done) {
    TOKENUSAGE_RETURN_IF_ERROR(CheckLimits(limits));
    const absl::Time start = absl::Now();
    TOKENUSAGE_RETURN_IF_ERROR(
        transactions->Write([&](SqliteDatabase* database) -> absl::Status {
          TOKENUSAGE_ASSIGN_OR_RETURN(result, step(database));
          return absl::OkStatus();
        }));
    removal.record_count += result.record_count;
    if (!result.done) transactions->Pause(absl::Now() - start);
  }
  return removal;
}

}  // namespace tokenusage
