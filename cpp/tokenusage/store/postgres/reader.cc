// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/postgres/reader.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/store/deadline.h"
#include "tokenusage/store/postgres/query.h"
#include "tokenusage/store/postgres/schema.h"
#include "tokenusage/store/postgres/sql.h"
#include "tokenusage/store/query/field_values.h"
#include "tokenusage/store/query/list_page.h"
#include "tokenusage/store/query/query_plan.h"
#include "tokenusage/store/rollup/stored_record.h"

namespace tokenusage {
namespace {

// Reads a record, as it is returned, from two columns of the first row: record
// and corrected_by.
absl::Status ReadRecord(const PostgresConnection& connection,
                        const PostgresResult& row, int first_column,
                        v1::UsageRecord* record) {
  TOKENUSAGE_RETURN_IF_ERROR(ReadStoredRecord(
      connection.display(), row.Bytes(0, first_column), record));
  const std::string_view corrected_by = row.Bytes(0, first_column + 1);
  if (!corrected_by.empty())
    record->set_corrected_by(std::string(corrected_by));
  return absl::OkStatus();
}

absl::StatusOr<RecordPage> ListFrom(PostgresConnection* connection,
                                    const RecordQuery& query) {
  // No id is empty, so (start, "") is before all records at the start.
  RecordPosition after = {query.window.start_nanos, ""};
  if (query.after && query.after->event_time_nanos >= after.event_time_nanos) {
    after = *query.after;
  }
  PostgresParams params;
  params.AddText(query.project);
  params.AddInt64(query.window.end_nanos);
  params.AddInt64(after.event_time_nanos);
  params.AddText(after.record_id);
  if (query.filters.empty()) {
    params.AddInt64(query.page_size + 1);
  } else {
    params.AddNull();
  }
  ListPage page(query);
  v1::UsageRecord record;
  TOKENUSAGE_RETURN_IF_ERROR(connection->Stream(
      query.inconsistent_only ? postgres_sql::kListInconsistent
                              : postgres_sql::kListRecords,
      params, query.limits,
      [&](const PostgresResult& row) -> absl::StatusOr<bool> {
        TOKENUSAGE_RETURN_IF_ERROR(ReadRecord(*connection, row, 0, &record));
        if (!PassesAll(query.filters, record)) return true;
        v1::UsageRecord* const next = page.Add(row.Bytes(0, 0).size());
        if (next == nullptr) return false;
        next->Swap(&record);
        return true;
      }));
  return page.Finish();
}

// Returns the result of the last attempt to call read(connection).
template <typename Result, typename Read>
absl::StatusOr<Result> RunRead(PostgresPool* pool, const CallLimits& limits,
                               Read read) {
  TOKENUSAGE_RETURN_IF_ERROR(CheckLimits(limits));
  absl::StatusOr<Result> result = absl::UnknownError("not run");
  const absl::Status status =
      pool->Run(limits, [&](PostgresConnection* connection) {
        result = read(connection);
        return result.status();
      });
  // Without a connection, `read` was not called.
  if (!status.ok()) return status;
  return result;
}

// Projects that are not in both do not matter.
bool HaveSameLabels(const std::vector<ProjectHorizon>& before,
                    const std::vector<ProjectHorizon>& after) {
  std::map<std::string, RollupLabels> labels;
  for (const ProjectHorizon& one : before) labels[one.project] = one.labels;
  return std::all_of(after.begin(), after.end(), [&](const auto& one) {
    const auto found = labels.find(one.project);
    return found == labels.end() || found->second == one.labels;
  });
}

// Does the same for queries of some projects that must not need records before
// their horizons: see check_horizons. Checks these before, to save the work,
// and afterwards: if they have not moved, `read` has seen all records.
template <typename Result, typename Check, typename Read>
absl::StatusOr<Result> RunReadAfterHorizon(
    PostgresPool* pool, const CallLimits& limits,
    const std::vector<std::string>& projects, Check check_horizons, Read read) {
  return RunRead<Result>(
      pool, limits,
      [&](PostgresConnection* connection) -> absl::StatusOr<Result> {
        TOKENUSAGE_ASSIGN_OR_RETURN(const std::vector<ProjectHorizon> horizons,
                                    ReadPostgresHorizons(connection, projects));
        TOKENUSAGE_RETURN_IF_ERROR(check_horizons(horizons));
        absl::StatusOr<Result> result = read(connection, horizons);
        if (!result.ok()) return result;
        TOKENUSAGE_ASSIGN_OR_RETURN(const std::vector<ProjectHorizon> after,
                                    ReadPostgresHorizons(connection, projects));
        TOKENUSAGE_RETURN_IF_ERROR(check_horizons(after));
        if (!HaveSameLabels(horizons, after)) {
          return absl::UnavailableError(
              "rollup labels were changed meanwhile: query again");
        }
        return result;
      });
}

}  // namespace

absl::StatusOr<UsageQueryPage> PostgresReader::Query(const UsageQuery& query) {
  return RunReadAfterHorizon<UsageQueryPage>(
      &pool_, query.limits, query.projects,
      [&query](const std::vector<ProjectHorizon>& horizons) {
        return CheckHorizon(query, horizons);
      },
      [&query](PostgresConnection* connection,
               const std::vector<ProjectHorizon>& projects) {
        return QueryPostgres(connection, query, projects);
      });
}

absl::StatusOr<v1::UsageRecord> PostgresReader::GetRecord(
    std::string_view project, std::string_view record_id) {
  PostgresParams project_params;
  project_params.AddText(project);
  PostgresParams params = project_params;
  params.AddText(record_id);
  return RunRead<v1::UsageRecord>(
      &pool_, {},
      [&](PostgresConnection* connection) -> absl::StatusOr<v1::UsageRecord> {
        connection->Send(postgres_sql::kSelectRecord, params);
        connection->Send(postgres_sql::kSelectHorizon, project_params);
        TOKENUSAGE_ASSIGN_OR_RETURN(
            const std::vector<PostgresResult> results,
            connection->Sync(absl::Now() + PostgresTimeouts::kStep));
        if (results[0].rows() == 0 || results[1].rows() == 0 ||
            results[0].Int64(0, 0) / kNanosPerSecond < results[1].Int64(0, 0)) {
          return absl::NotFoundError("no such record");
        }
        v1::UsageRecord record;
        TOKENUSAGE_RETURN_IF_ERROR(
            ReadRecord(*connection, results[0], 1, &record));
        return record;
      });
}

absl::StatusOr<RecordPage> PostgresReader::ListRecords(
    const RecordQuery& query) {
  return RunReadAfterHorizon<RecordPage>(
      &pool_, query.limits, {query.project},
      [&query](const std::vector<ProjectHorizon>& horizons) {
        return horizons.empty() ? absl::OkStatus()
                                : CheckHorizon(query, horizons[0]);
      },
      [&query](PostgresConnection* connection,
               const std::vector<ProjectHorizon>&) {
        return ListFrom(connection, query);
      });
}

absl::StatusOr<std::vector<StoredProject>> PostgresReader::ListProjects(
    const CallLimits& limits) {
  using Projects = std::vector<StoredProject>;
  return RunRead<Projects>(
      &pool_, limits,
      [](PostgresConnection* connection) -> absl::StatusOr<Projects> {
        connection->Send(postgres_sql::kSelectProjects);
        TOKENUSAGE_ASSIGN_OR_RETURN(
            const std::vector<PostgresResult> results,
            connection->Sync(absl::Now() + PostgresTimeouts::kStep));
        Projects all;
        for (int row = 0; row < results[0].rows(); ++row) {
          const std::int64_t horizon = results[0].Int64(row, 1);
          all.push_back({std::string(results[0].Bytes(row, 0)),
                         horizon == 0 ? absl::InfinitePast()
                                      : absl::FromUnixSeconds(horizon)});
        }
        std::sort(all.begin(), all.end(),
                  [](const StoredProject& a, const StoredProject& b) {
                    return a.name < b.name;
                  });
        return all;
      });
}

}  // namespace tokenusage
