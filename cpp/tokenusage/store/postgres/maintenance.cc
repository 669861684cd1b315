// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/postgres/maintenance.h"

#include <cstdint>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/record/record_counts.h"
#include "tokenusage/store/postgres/check.h"
#include "tokenusage/store/postgres/record_deletion.h"
#include "tokenusage/store/postgres/record_steps.h"
#include "tokenusage/store/postgres/table/rollups.h"
#include "tokenusage/store/postgres/table/schema.h"
#include "tokenusage/store/postgres/table/series.h"
#include "tokenusage/store/postgres/table/sql.h"
#include "tokenusage/store/query/query_plan.h"
#include "tokenusage/store/rollup/check_report.h"
#include "tokenusage/store/rollup/stored_record.h"

namespace tokenusage {
namespace {

namespace sql = postgres_sql;

using Family = sql::Family;
constexpr absl::Duration kTimeout = PostgresTimeouts::kMaintenanceStep;

// Removes the records before `end` (ns) in steps, and adds up their number.
// Their rows in `correction` go first: no read sees the records any more.
absl::Status RemoveInSteps(PostgresConnection* connection,
                           const std::string& project, std::int64_t end,
                           const CallLimits& limits, Removal* removal) {
  TOKENUSAGE_RETURN_IF_ERROR(
      connection->Run(kTimeout, sql::kDeleteCorrectionsBefore, project, end)
          .status());
  return ForEachRecordStep(
      connection, project, {0, end}, limits,
      [&](TimeWindow window) -> absl::Status {
        TOKENUSAGE_ASSIGN_OR_RETURN(
            const PostgresResult deleted,
            connection->Run(kTimeout, sql::kDeleteRecordsBefore, project,
                            window.end_nanos));
        removal->record_count += deleted.changed_rows();
        return absl::OkStatus();
      });
}

// Refuses to lose rollups by label that cannot be rebuilt.
absl::Status CheckNoLabelHistory(PostgresConnection* connection,
                                 const std::string& project,
                                 const RollupLabels& labels,
                                 std::int64_t horizon) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const PostgresResult found,
      connection->Run(kTimeout, sql::kFindLabelRollupsBefore, project,
                      horizon));
  if (found.rows() == 0) return absl::OkStatus();
  return LabelHistoryError(project, labels);
}

// Adds the records of a window that count to the rollups, and marks those that
// contradict themselves by the rules of this program.
absl::Status RebuildStep(PostgresConnection* connection,
                         const std::string& project, const RollupLabels& labels,
                         TimeWindow window, const CallLimits& limits,
                         Rebuild* rebuild) {
  PostgresRollups rollups(labels);
  std::vector<std::string> wrongly_marked;
  v1::UsageRecord record;
  TOKENUSAGE_RETURN_IF_ERROR(connection->Stream(
      sql::kCheckRecords,
      PostgresParams(project, window.start_nanos, window.end_nanos), limits,
      [&](const PostgresResult& row) -> absl::StatusOr<bool> {
        TOKENUSAGE_RETURN_IF_ERROR(
            ReadStoredRecord(connection->display(), row.Bytes(0, 2), &record));
        const UsageCounts counts = CountRecord(record);
        const bool is_corrected = !row.Bytes(0, 4).empty();
        if (!is_corrected && Counts(record)) {
          rollups.Add(record, row.Int64(0, 0), counts);
        }
        if (row.Bool(0, 3) != counts.inconsistent()) {
          wrongly_marked.emplace_back(row.Bytes(0, 1));
        }
        ++rebuild->record_count;
        return true;
      }));
  if (rollups.empty() && wrongly_marked.empty()) return absl::OkStatus();
  for (const Family family : {Family::kPlain, Family::kByLabel}) {
    const Rollups all = rollups.All(family);
    if (all.empty()) continue;
    if (family == Family::kByLabel) {
      std::set<std::string> label_sets;
      for (const auto& [key, sum] : all) label_sets.insert(key.series.labels);
      connection->Send(
          sql::kInsertLabelSets, project,
          std::vector<std::string>(label_sets.begin(), label_sets.end()));
    }
    connection->Send(sql::AddToRollups(family),
                     RollupParams(project, family, all));
    rebuild->rollup_count += static_cast<std::int64_t>(all.size());
  }
  if (!wrongly_marked.empty()) {
    connection->Send(sql::kToggleInconsistent, project, wrongly_marked);
  }
  return connection->Sync(kTimeout).status();
}

// Adds the quarter hours before the horizon to the month that the horizon lies
// in.
absl::Status AddMonthBefore(PostgresConnection* connection,
                            const std::string& project, std::int64_t horizon,
                            const CallLimits& limits) {
  Rollups month;
  TOKENUSAGE_RETURN_IF_ERROR(ForEachPostgresRollup(
      connection, project, Family::kByLabel, kQuarterHourSeconds,
      {MonthOf(horizon), horizon}, limits,
      [&](const RollupKey& key, const UsageSum& sum) -> absl::StatusOr<bool> {
        month[{kMonthSeconds, MonthOf(horizon), key.series}].Add(sum);
        return true;
      }));
  if (month.empty()) return absl::OkStatus();
  return connection
      ->Run(kTimeout, sql::AddToRollups(Family::kByLabel),
            RollupParams(project, Family::kByLabel, month))
      .status();
}

// Rebuilds a project's rollups, and sets the labels if they are given. A
// project's labels do not change while its row is locked.
absl::Status RebuildProject(PostgresConnection* connection,
                            const std::string& project,
                            const std::optional<RollupLabels>& new_labels,
                            const CallLimits& limits, Rebuild* rebuild) {
  connection->Send(sql::kBegin);
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const PostgresResult locked,
      connection->Run(kTimeout, sql::kLockProject, project));
  if (locked.rows() == 0) return absl::OkStatus();  // it was deleted
  const std::int64_t horizon = locked.Int64(0, 1);
  TOKENUSAGE_ASSIGN_OR_RETURN(RollupLabels labels,
                              ParseRollupLabels(locked.Bytes(0, 2)));
  if (new_labels) {
    TOKENUSAGE_RETURN_IF_ERROR(
        CheckNoLabelHistory(connection, project, labels, horizon));
    labels = *new_labels;
    connection->Send(sql::kSetLabels, project, RollupLabelsText(labels),
                     RandomIncarnation());
    connection->Send(sql::kDeleteLabelSets, project);
  }
  connection->Send(sql::kDeleteRollupsFrom, project, horizon);
  connection->Send(sql::kDeleteLabelRollupsFrom, project, horizon,
                   MonthOf(horizon));
  TOKENUSAGE_RETURN_IF_ERROR(connection->Sync(kTimeout).status());
  TOKENUSAGE_RETURN_IF_ERROR(
      AddMonthBefore(connection, project, horizon, limits));
  const auto add_step = [&](TimeWindow window) {
    return RebuildStep(connection, project, labels, window, limits, rebuild);
  };
  TOKENUSAGE_RETURN_IF_ERROR(ForEachRecordStep(
      connection, project, {horizon * kNanosPerSecond, kEndOfTime}, limits,
      add_step));
  return connection->Run(kTimeout, sql::kCommit).status();
}

// Deletes a project if it exists. Sets `committing` to what is deleted before
// that is committed: if the answer to a commit is lost, the next attempt finds
// no project.
absl::Status DeleteWhole(PostgresConnection* connection,
                         const std::string& project, const CallLimits& limits,
                         std::optional<Removal>* committing) {
  Removal removal;
  const absl::Time start = absl::Now();
  connection->Send(sql::kBegin);
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const PostgresResult locked,
      connection->Run(kTimeout, sql::kLockProject, project));
  if (locked.rows() == 0) return absl::OkStatus();
  TOKENUSAGE_RETURN_IF_ERROR(
      RemoveInSteps(connection, project, kEndOfTime, limits, &removal));
  connection->Send(sql::kDeleteRollupsFrom, project, 0);
  connection->Send(sql::kDeleteLabelRollupsFrom, project, 0, 0);
  connection->Send(sql::kDeleteLabelSets, project);
  connection->Send(sql::kDeleteSeries, project);
  connection->Send(sql::kDeleteProject, project);
  connection->Send(
      sql::kAddDeletion,
      DeletionParams(RandomIncarnation(),
                     {start, project, kWholeProject, removal.record_count}));
  *committing = removal;
  return connection->Run(kTimeout, sql::kCommit).status();
}

}  // namespace

absl::Status PostgresMaintenance::ForEachProject(
    const CallLimits& limits,
    const std::function<absl::Status(PostgresConnection* connection,
                                     const std::string& project)>& work) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::vector<StoredProject> projects,
                              pool_.RunFor<std::vector<StoredProject>>(
                                  limits, [](PostgresConnection* connection) {
                                    return ReadPostgresProjects(connection,
                                                                kTimeout);
                                  }));
  for (const StoredProject& project : projects) {
    TOKENUSAGE_RETURN_IF_ERROR(
        pool_.Run(limits, [&](PostgresConnection* connection) {
          return work(connection, project.name);
        }));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<ProjectRetention>> PostgresMaintenance::Retention() {
  std::vector<ProjectRetention> all;
  TOKENUSAGE_RETURN_IF_ERROR(ForEachProject(
      {},
      [&](PostgresConnection* connection,
          const std::string& project) -> absl::Status {
        connection->Send(sql::kSelectRetention, project);
        connection->Send(sql::kRecordTimes, project);
        TOKENUSAGE_ASSIGN_OR_RETURN(const PostgresResults results,
                                    connection->Sync(kTimeout));
        if (results[0].rows() == 0) return absl::OkStatus();  // it was deleted
        const auto time = [&times = results[1]](int column) {
          return times.IsNull(0, column)
                     ? absl::InfinitePast()
                     : absl::FromUnixNanos(times.Int64(0, column));
        };
        all.push_back(
            {project, HorizonTime(HorizonNanos(results[0].Int64(0, 0))),
             absl::Seconds(results[0].Int64(0, 1)), time(0), time(1)});
        return absl::OkStatus();
      }));
  return all;
}

absl::Status PostgresMaintenance::SetRetention(std::string_view project,
                                               absl::Duration retain) {
  return pool_.Run({}, [&](PostgresConnection* connection) -> absl::Status {
    TOKENUSAGE_ASSIGN_OR_RETURN(
        const PostgresResult updated,
        connection->Run(kTimeout, sql::kSetRetention, project,
                        absl::ToInt64Seconds(retain)));
    return updated.changed_rows() == 0 ? absl::NotFoundError("no such project")
                                       : absl::OkStatus();
  });
}

absl::StatusOr<Removal> PostgresMaintenance::RemoveRecordsBefore(
    std::string_view project, absl::Time horizon, const CallLimits& limits) {
  TOKENUSAGE_RETURN_IF_ERROR(CheckIsHorizon(horizon));
  const std::string name(project);
  Removal removal;
  TOKENUSAGE_RETURN_IF_ERROR(
      pool_.Run(limits, [&](PostgresConnection* connection) -> absl::Status {
        // Waits for running appends, which hold the project's row.
        TOKENUSAGE_RETURN_IF_ERROR(connection
                                       ->Run(kTimeout, sql::kRaiseHorizon, name,
                                             absl::ToUnixSeconds(horizon))
                                       .status());
        TOKENUSAGE_ASSIGN_OR_RETURN(const std::vector<ProjectHorizon> reached,
                                    ReadPostgresHorizons(connection, {name}));
        if (reached.empty()) return absl::OkStatus();
        return RemoveInSteps(connection, name, reached[0].nanos, limits,
                             &removal);
      }));
  return removal;
}

absl::StatusOr<CheckReport> PostgresMaintenance::Check(
    const CheckOptions& options) {
  CheckReportBuilder report(options);
  TOKENUSAGE_RETURN_IF_ERROR(
      ForEachProject(options.limits,
                     [&](PostgresConnection* connection,
                         const std::string& project) -> absl::Status {
                       // A retry must not report a project twice.
                       CheckReportBuilder attempt = report;
                       TOKENUSAGE_RETURN_IF_ERROR(CheckPostgresProject(
                           connection, project, options.limits, &attempt));
                       report = std::move(attempt);
                       return absl::OkStatus();
                     }));
  return report.Finish();
}

absl::StatusOr<Rebuild> PostgresMaintenance::RebuildRollups(
    const CallLimits& limits) {
  return RebuildAll(std::nullopt, limits);
}

absl::StatusOr<Rebuild> PostgresMaintenance::SetRollupLabels(
    const RollupLabels& labels, const CallLimits& limits) {
  // Check all projects before anything changes.
  TOKENUSAGE_RETURN_IF_ERROR(ForEachProject(
      limits,
      [&](PostgresConnection* connection,
          const std::string& project) -> absl::Status {
        TOKENUSAGE_ASSIGN_OR_RETURN(
            const std::vector<ProjectHorizon> horizons,
            ReadPostgresHorizons(connection, {project}));
        if (horizons.empty() || horizons[0].nanos == kNoHorizon) {
          return absl::OkStatus();
        }
        return CheckNoLabelHistory(connection, project, horizons[0].labels,
                                   horizons[0].nanos / kNanosPerSecond);
      }));
  TOKENUSAGE_RETURN_IF_ERROR(
      pool_.Run(limits, [&](PostgresConnection* connection) {
        return WritePostgresLabels(connection, labels);
      }));
  return RebuildAll(labels, limits);
}

absl::StatusOr<Rebuild> PostgresMaintenance::RebuildAll(
    const std::optional<RollupLabels>& new_labels, const CallLimits& limits) {
  Rebuild rebuild;
  TOKENUSAGE_RETURN_IF_ERROR(
      ForEachProject(limits,
                     [&](PostgresConnection* connection,
                         const std::string& project) -> absl::Status {
                       Rebuild attempt = rebuild;
                       TOKENUSAGE_RETURN_IF_ERROR(RebuildProject(
                           connection, project, new_labels, limits, &attempt));
                       rebuild = attempt;
                       return absl::OkStatus();
                     }));
  return rebuild;
}

absl::StatusOr<Removal> PostgresMaintenance::DeleteRecords(
    const RecordSelection& selection, bool dry_run, const CallLimits& limits) {
  return DeletePostgresRecords(&pool_, selection, dry_run, limits);
}

absl::StatusOr<std::vector<Deletion>> PostgresMaintenance::Deletions() {
  return ReadPostgresDeletions(&pool_);
}

absl::StatusOr<Removal> PostgresMaintenance::DeleteProject(
    std::string_view project, const CallLimits& limits) {
  const std::string name(project);
  std::optional<Removal> removal;
  TOKENUSAGE_RETURN_IF_ERROR(
      pool_.Run(limits, [&](PostgresConnection* connection) {
        return DeleteWhole(connection, name, limits, &removal);
      }));
  if (!removal) return absl::NotFoundError("no such project");
  return *removal;
}

}  // namespace tokenusage
