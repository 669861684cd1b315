// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/postgres/store.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "tokenusage/base/status_macros.h"
#include "tokenusage/store/postgres/connection/connection.h"
#include "tokenusage/store/postgres/connection/pool.h"
#include "tokenusage/store/postgres/connection/target.h"
#include "tokenusage/store/postgres/maintenance.h"
#include "tokenusage/store/postgres/query.h"
#include "tokenusage/store/postgres/table/sql.h"
#include "tokenusage/store/postgres/writer.h"
#include "tokenusage/store/query/field_values.h"
#include "tokenusage/store/query/list_page.h"
#include "tokenusage/store/query/query_plan.h"
#include "tokenusage/store/rollup/stored_record.h"

namespace tokenusage {
namespace {

// Reads a record, as UsageStore::GetRecord returns it, from two columns of the
// first row: record and corrected_by.
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
  PostgresParams params(query.project, query.window.end_nanos,
                        after.event_time_nanos, after.record_id);
  if (query.filters.empty()) {
    params.Add(query.page_size + 1);
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

// Returns whether the projects that are in both have the same labels in both.
bool HaveSameLabels(const std::vector<ProjectHorizon>& before,
                    const std::vector<ProjectHorizon>& after) {
  std::map<std::string, RollupLabels> labels;
  for (const ProjectHorizon& one : before) labels[one.project] = one.labels;
  return std::all_of(after.begin(), after.end(), [&](const auto& one) {
    const auto found = labels.find(one.project);
    return found == labels.end() || found->second == one.labels;
  });
}

// Runs read(connection, horizons) for a query of some projects that must not
// need records before their horizons: see check_horizons. Checks these before,
// to save the work, and afterwards: if they have not moved, `read` has seen all
// records.
template <typename Result, typename Check, typename Read>
absl::StatusOr<Result> RunReadAfterHorizon(
    PostgresPool* pool, const CallLimits& limits,
    const std::vector<std::string>& projects, Check check_horizons, Read read) {
  return pool->RunFor<Result>(
      limits, [&](PostgresConnection* connection) -> absl::StatusOr<Result> {
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

// A read is one statement for each project, so it sees one snapshot of the
// project, on Citus as well.
class PostgresStore : public UsageStore {
 public:
  PostgresStore(const PostgresTarget& target,
                const PostgresStoreOptions& options, std::string page_token_key)
      : page_token_key_(std::move(page_token_key)),
        maintenance_(target),
        read_pool_(target, options.max_read_connections),
        writer_(
            target,
            {options.max_write_connections, options.max_records_per_commit,
             options.max_queued_bytes, options.rollups, options.on_commit}) {}

  void AppendAsync(std::string project,
                   std::shared_ptr<const CheckedBatch> batch, CallLimits limits,
                   AppendCallback done) override {
    writer_.Append(project, std::move(batch), std::move(limits),
                   std::move(done));
  }
  absl::StatusOr<UsageQueryPage> Query(const UsageQuery& query) override;
  absl::StatusOr<v1::UsageRecord> GetRecord(
      std::string_view project, std::string_view record_id) override;
  absl::StatusOr<RecordPage> ListRecords(const RecordQuery& query) override;
  absl::StatusOr<std::vector<StoredProject>> ListProjects(
      const CallLimits& limits) override;
  absl::Status CheckWritable() override { return writer_.CheckWritable(); }
  std::string page_token_key() const override { return page_token_key_; }
  StoreStats Stats() const override { return writer_.Stats(); }
  StoreMaintenance* maintenance() override { return &maintenance_; }

 private:
  const std::string page_token_key_;
  PostgresMaintenance maintenance_;
  PostgresPool read_pool_;
  PostgresWriter writer_;
};

absl::StatusOr<UsageQueryPage> PostgresStore::Query(const UsageQuery& query) {
  return RunReadAfterHorizon<UsageQueryPage>(
      &read_pool_, query.limits, query.projects,
      [&query](const std::vector<ProjectHorizon>& horizons) {
        return CheckHorizon(query, horizons);
      },
      [&query](PostgresConnection* connection,
               const std::vector<ProjectHorizon>& projects) {
        return QueryPostgres(connection, query, projects);
      });
}

absl::StatusOr<v1::UsageRecord> PostgresStore::GetRecord(
    std::string_view project, std::string_view record_id) {
  return read_pool_.RunFor<v1::UsageRecord>(
      {},
      [&](PostgresConnection* connection) -> absl::StatusOr<v1::UsageRecord> {
        connection->Send(postgres_sql::kSelectRecord, project, record_id);
        connection->Send(postgres_sql::kSelectHorizon, project);
        TOKENUSAGE_ASSIGN_OR_RETURN(const PostgresResults results,
                                    connection->Sync(PostgresTimeouts::kStep));
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

absl::StatusOr<RecordPage> PostgresStore::ListRecords(
    const RecordQuery& query) {
  return RunReadAfterHorizon<RecordPage>(
      &read_pool_, query.limits, {query.project},
      [&query](const std::vector<ProjectHorizon>& horizons) {
        return horizons.empty() ? absl::OkStatus()
                                : CheckHorizon(query, horizons[0]);
      },
      [&query](PostgresConnection* connection,
               const std::vector<ProjectHorizon>&) {
        return ListFrom(connection, query);
      });
}

absl::StatusOr<std::vector<StoredProject>> PostgresStore::ListProjects(
    const CallLimits& limits) {
  return read_pool_.RunFor<std::vector<StoredProject>>(
      limits, [](PostgresConnection* connection) {
        return ReadPostgresProjects(connection, PostgresTimeouts::kStep);
      });
}

}  // namespace

absl::StatusOr<std::unique_ptr<UsageStore>> OpenPostgresStore(
    const std::string& url, const PostgresStoreOptions& options) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const PostgresTarget target,
                              PostgresTarget::Parse(url));
  TOKENUSAGE_ASSIGN_OR_RETURN(const auto connection,
                              PostgresConnection::Connect(target));
  TOKENUSAGE_RETURN_IF_ERROR(CheckPostgresSchema(connection.get()));
  TOKENUSAGE_ASSIGN_OR_RETURN(std::string page_token_key,
                              ReadPageTokenKey(connection.get()));
  PostgresStoreOptions known = options;
  TOKENUSAGE_ASSIGN_OR_RETURN(
      known.rollups.labels,
      SetUpPostgresLabels(connection.get(), options.rollups.labels));
  return std::unique_ptr<UsageStore>(
      new PostgresStore(target, known, std::move(page_token_key)));
}

}  // namespace tokenusage
