// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/postgres/maintenance.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

#include "absl/time/clock.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/store/deadline.h"
#include "tokenusage/store/postgres/check.h"
#include "tokenusage/store/postgres/horizon.h"
#include "tokenusage/store/postgres/removal_steps.h"
#include "tokenusage/store/postgres/rollups.h"
#include "tokenusage/store/postgres/sql.h"
#include "tokenusage/store/query/query_plan.h"

namespace tokenusage {
namespace {

namespace sql = postgres_sql;

// How long one step may take.
constexpr absl::Duration kStepTime = absl::Minutes(10);

using Results = std::vector<PostgresResult>;

absl::StatusOr<Results> Sync(PostgresConnection* connection) {
  return connection->Sync(absl::Now() + kStepTime);
}

PostgresParams ParamsOf(const std::string& project) {
  PostgresParams params;
  params.AddText(project);
  return params;
}

PostgresParams ParamsOf(const std::string& project, std::int64_t value) {
  PostgresParams params = ParamsOf(project);
  params.AddInt64(value);
  return params;
}

// Removes the records before `end`, or all, in steps; adds their number.
absl::Status RemoveInSteps(PostgresConnection* connection,
                           const std::string& project, std::int64_t end,
                           const CallLimits& limits, Removal* removal) {
  return ForEachChunk(
      connection, project, 0, limits, [&](TimeWindow chunk) -> absl::Status {
        connection->Send(sql::DeleteRecordsBefore(),
                         ParamsOf(project, std::min(end, chunk.end_nanos)));
        TOKENUSAGE_ASSIGN_OR_RETURN(const Results results, Sync(connection));
        removal->record_count += results[0].changed_rows();
        return absl::OkStatus();
      });
}

absl::Status RebuildProject(PostgresConnection* connection,
                            const std::string& project,
                            const CallLimits& limits, Rebuild* rebuild) {
  connection->Send(sql::Begin());
  connection->Send(sql::LockProject(), ParamsOf(project));
  TOKENUSAGE_ASSIGN_OR_RETURN(const Results locked, Sync(connection));
  if (locked[1].rows() == 0) return absl::OkStatus();  // it was deleted
  const std::int64_t horizon = locked[1].Int64(0, 1);
  connection->Send(sql::DeleteCellsFrom(), ParamsOf(project, horizon));
  TOKENUSAGE_RETURN_IF_ERROR(Sync(connection).status());
  v1::UsageRecord record;
  const auto add_chunk = [&](TimeWindow chunk) -> absl::Status {
    PostgresCells cells;
    PostgresParams params = ParamsOf(project, chunk.start_nanos);
    params.AddInt64(chunk.end_nanos);
    TOKENUSAGE_RETURN_IF_ERROR(connection->Stream(
        sql::ScanRecords(), params, limits,
        [&](const PostgresResult& row) -> absl::StatusOr<bool> {
          const std::string_view bytes = row.Bytes(0, 1);
          if (!record.ParseFromArray(bytes.data(),
                                     static_cast<int>(bytes.size()))) {
            return DamagedPostgresError(*connection, "a record cannot be read");
          }
          cells.Add(record, row.Int64(0, 0), CountsOf(record));
          ++rebuild->record_count;
          return true;
        }));
    if (cells.empty()) return absl::OkStatus();
    connection->Send(sql::AddToRollup(), cells.ToParams(project));
    rebuild->cell_count += static_cast<std::int64_t>(cells.All().size());
    return Sync(connection).status();
  };
  TOKENUSAGE_RETURN_IF_ERROR(ForEachChunk(
      connection, project, horizon * kNanosPerSecond, limits, add_chunk));
  connection->Send(sql::Commit());
  return Sync(connection).status();
}

absl::Status DeleteWhole(PostgresConnection* connection,
                         const std::string& project, const CallLimits& limits,
                         Removal* removal) {
  connection->Send(sql::Begin());
  connection->Send(sql::LockProject(), ParamsOf(project));
  TOKENUSAGE_ASSIGN_OR_RETURN(const Results locked, Sync(connection));
  if (locked[1].rows() == 0) return absl::NotFoundError("no such project");
  TOKENUSAGE_RETURN_IF_ERROR(
      RemoveInSteps(connection, project,
                    std::numeric_limits<std::int64_t>::max(), limits, removal));
  connection->Send(sql::DeleteCellsFrom(), ParamsOf(project, 0));
  connection->Send(sql::DeleteSeries(), ParamsOf(project));
  connection->Send(sql::DeleteProject(), ParamsOf(project));
  connection->Send(sql::Commit());
  return Sync(connection).status();
}

}  // namespace

absl::StatusOr<std::vector<std::string>> PostgresCare::Projects(
    const CallLimits& limits) {
  std::vector<std::string> projects;
  TOKENUSAGE_RETURN_IF_ERROR(
      pool_.Run(limits, [&](PostgresConnection* connection) -> absl::Status {
        projects.clear();
        connection->Send(sql::SelectProjects());
        TOKENUSAGE_ASSIGN_OR_RETURN(const Results results, Sync(connection));
        for (int row = 0; row < results[0].rows(); ++row) {
          projects.emplace_back(results[0].Bytes(row, 0));
        }
        return absl::OkStatus();
      }));
  std::sort(projects.begin(), projects.end());
  return projects;
}

absl::StatusOr<absl::Time> PostgresCare::Horizon() {
  std::int64_t nanos = kNoHorizon;
  TOKENUSAGE_RETURN_IF_ERROR(
      pool_.Run({}, [&](PostgresConnection* connection) -> absl::Status {
        TOKENUSAGE_ASSIGN_OR_RETURN(nanos, ReadPostgresHorizon(connection));
        return absl::OkStatus();
      }));
  return nanos == kNoHorizon ? absl::InfinitePast()
                             : absl::FromUnixNanos(nanos);
}

absl::StatusOr<absl::Time> PostgresCare::NewestRecordTime() {
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::vector<std::string> projects,
                              Projects({}));
  absl::Time newest = absl::InfinitePast();
  for (const std::string& project : projects) {
    TOKENUSAGE_RETURN_IF_ERROR(
        pool_.Run({}, [&](PostgresConnection* connection) -> absl::Status {
          connection->Send(sql::NewestRecordTime(), ParamsOf(project));
          TOKENUSAGE_ASSIGN_OR_RETURN(const Results results, Sync(connection));
          if (!results[0].IsNull(0, 0)) {
            newest =
                std::max(newest, absl::FromUnixNanos(results[0].Int64(0, 0)));
          }
          return absl::OkStatus();
        }));
  }
  return newest;
}

absl::StatusOr<Removal> PostgresCare::RemoveRecordsBefore(
    absl::Time horizon, const CallLimits& limits) {
  TOKENUSAGE_RETURN_IF_ERROR(CheckIsHorizon(horizon));
  TOKENUSAGE_RETURN_IF_ERROR(CheckLimits(limits, absl::Now()));
  // For all reads at once; then, for the appends of each project, under a lock
  // that waits for those under way.
  std::int64_t seconds = absl::ToUnixSeconds(horizon);
  TOKENUSAGE_RETURN_IF_ERROR(
      pool_.Run(limits, [&](PostgresConnection* connection) -> absl::Status {
        PostgresParams params;
        params.AddInt64(seconds);
        connection->Send(sql::RaiseHorizon(), params);
        TOKENUSAGE_RETURN_IF_ERROR(Sync(connection).status());
        TOKENUSAGE_ASSIGN_OR_RETURN(const std::int64_t nanos,
                                    ReadPostgresHorizon(connection));
        seconds = nanos / kNanosPerSecond;
        return absl::OkStatus();
      }));
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::vector<std::string> projects,
                              Projects(limits));
  Removal removal;
  for (const std::string& project : projects) {
    TOKENUSAGE_RETURN_IF_ERROR(
        pool_.Run(limits, [&](PostgresConnection* connection) -> absl::Status {
          connection->Send(sql::RaiseProjectHorizon(),
                           ParamsOf(project, seconds));
          TOKENUSAGE_RETURN_IF_ERROR(Sync(connection).status());
          return RemoveInSteps(connection, project, seconds * kNanosPerSecond,
                               limits, &removal);
        }));
  }
  return removal;
}

absl::StatusOr<CheckReport> PostgresCare::Check(const CheckOptions& options) {
  TOKENUSAGE_RETURN_IF_ERROR(CheckLimits(options.limits, absl::Now()));
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::vector<std::string> projects,
                              Projects(options.limits));
  CheckReport report;
  for (const std::string& project : projects) {
    TOKENUSAGE_RETURN_IF_ERROR(pool_.Run(
        options.limits, [&](PostgresConnection* connection) -> absl::Status {
          CheckReport more = report;
          TOKENUSAGE_RETURN_IF_ERROR(
              CheckPostgresProject(connection, project, options, &more));
          report = std::move(more);
          return absl::OkStatus();
        }));
  }
  return report;
}

absl::StatusOr<Rebuild> PostgresCare::RebuildRollups(const CallLimits& limits) {
  TOKENUSAGE_RETURN_IF_ERROR(CheckLimits(limits, absl::Now()));
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::vector<std::string> projects,
                              Projects(limits));
  Rebuild rebuild;
  for (const std::string& project : projects) {
    TOKENUSAGE_RETURN_IF_ERROR(
        pool_.Run(limits, [&](PostgresConnection* connection) -> absl::Status {
          Rebuild more = rebuild;
          TOKENUSAGE_RETURN_IF_ERROR(
              RebuildProject(connection, project, limits, &more));
          rebuild = more;
          return absl::OkStatus();
        }));
  }
  return rebuild;
}

absl::StatusOr<Removal> PostgresCare::DeleteProject(std::string_view project,
                                                    const CallLimits& limits) {
  TOKENUSAGE_RETURN_IF_ERROR(CheckLimits(limits, absl::Now()));
  const std::string name(project);
  Removal removal;
  TOKENUSAGE_RETURN_IF_ERROR(
      pool_.Run(limits, [&](PostgresConnection* connection) -> absl::Status {
        removal = Removal();
        return DeleteWhole(connection, name, limits, &removal);
      }));
  return removal;
}

}  // namespace tokenusage
