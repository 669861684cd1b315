// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/postgres/reader.h"

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/store/deadline.h"
#include "tokenusage/store/postgres/horizon.h"
#include "tokenusage/store/postgres/query.h"
#include "tokenusage/store/postgres/sql.h"
#include "tokenusage/store/query/query_plan.h"

namespace tokenusage {
namespace {

constexpr absl::Duration kGetTime = absl::Seconds(30);

absl::StatusOr<v1::UsageRecord> ParseRecord(
    const PostgresConnection& connection, std::string_view bytes) {
  v1::UsageRecord record;
  if (!record.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return DamagedPostgresError(connection, "a record cannot be read");
  }
  return record;
}

// One list's work.
class ListRun {
 public:
  ListRun(PostgresConnection* connection, const RecordQuery& query)
      : connection_(*connection), query_(query) {}

  absl::StatusOr<RecordPage> Run();

 private:
  // Adds a record, or notes that the page is full.
  absl::StatusOr<bool> Add(std::string_view bytes);

  PostgresConnection& connection_;
  const RecordQuery& query_;
  RecordPage page_;
  std::int64_t page_bytes_ = 0;
};

absl::StatusOr<RecordPage> ListRun::Run() {
  // No id is empty: so (start, "") comes before all records at the start.
  RecordPosition after = {query_.window.start_nanos, ""};
  if (query_.after &&
      query_.after->event_time_nanos >= after.event_time_nanos) {
    after = *query_.after;
  }
  PostgresParams params;
  params.AddText(query_.project);
  params.AddInt64(query_.window.end_nanos);
  params.AddInt64(after.event_time_nanos);
  params.AddText(after.record_id);
  params.AddInt64(query_.page_size + 1);
  TOKENUSAGE_RETURN_IF_ERROR(connection_.Stream(
      postgres_sql::ListRecords(), params, query_.limits,
      [this](const PostgresResult& row) { return Add(row.Bytes(0, 0)); }));
  return std::move(page_);
}

absl::StatusOr<bool> ListRun::Add(std::string_view bytes) {
  page_bytes_ += static_cast<std::int64_t>(bytes.size());
  const bool full =
      page_.records.size() == static_cast<std::size_t>(query_.page_size) ||
      page_bytes_ > query_.max_page_bytes;
  if (full && !page_.records.empty()) {
    page_.has_more = true;
    return false;
  }
  TOKENUSAGE_ASSIGN_OR_RETURN(v1::UsageRecord record,
                              ParseRecord(connection_, bytes));
  page_.records.push_back(std::move(record));
  return true;
}

// Runs `read(connection)` and returns what it returned last.
template <typename Result, typename Read>
absl::StatusOr<Result> RunRead(PostgresPool* pool, const CallLimits& limits,
                               Read read) {
  TOKENUSAGE_RETURN_IF_ERROR(CheckLimits(limits, absl::Now()));
  absl::StatusOr<Result> result = absl::UnknownError("not run");
  const absl::Status status =
      pool->Run(limits, [&](PostgresConnection* connection) {
        result = read(connection);
        return result.status();
      });
  // Where there was no connection, `read` was not called.
  if (!status.ok()) return status;
  return result;
}

// The same, where `query` must not need records from before the horizon. It is
// asked for before, to spare the work, and afterwards: where it has not moved,
// no record had begun to go that `read` should have seen.
template <typename Result, typename Query, typename Read>
absl::StatusOr<Result> RunReadAfterHorizon(PostgresPool* pool,
                                           const Query& query, Read read) {
  return RunRead<Result>(
      pool, query.limits,
      [&](PostgresConnection* connection) -> absl::StatusOr<Result> {
        TOKENUSAGE_ASSIGN_OR_RETURN(const std::int64_t before,
                                    ReadPostgresHorizon(connection));
        TOKENUSAGE_RETURN_IF_ERROR(CheckHorizon(query, before));
        absl::StatusOr<Result> result = read(connection);
        if (!result.ok()) return result;
        TOKENUSAGE_ASSIGN_OR_RETURN(const std::int64_t after,
                                    ReadPostgresHorizon(connection));
        TOKENUSAGE_RETURN_IF_ERROR(CheckHorizon(query, after));
        return result;
      });
}

}  // namespace

absl::StatusOr<UsageQueryPage> PostgresReader::Query(const UsageQuery& query) {
  return RunReadAfterHorizon<UsageQueryPage>(
      &pool_, query, [&query](PostgresConnection* connection) {
        return QueryPostgres(connection, query);
      });
}

absl::StatusOr<v1::UsageRecord> PostgresReader::GetRecord(
    std::string_view project, std::string_view record_id) {
  PostgresParams params;
  params.AddText(project);
  params.AddText(record_id);
  return RunRead<v1::UsageRecord>(
      &pool_, {},
      [&params](
          PostgresConnection* connection) -> absl::StatusOr<v1::UsageRecord> {
        connection->Send(postgres_sql::SelectRecord(), params);
        connection->Send(postgres_sql::SelectHorizon());
        TOKENUSAGE_ASSIGN_OR_RETURN(const std::vector<PostgresResult> results,
                                    connection->Sync(absl::Now() + kGetTime));
        if (results[0].rows() == 0 || results[1].rows() == 0 ||
            results[0].Int64(0, 0) / kNanosPerSecond < results[1].Int64(0, 0)) {
          return absl::NotFoundError("no such record");
        }
        return ParseRecord(*connection, results[0].Bytes(0, 1));
      });
}

absl::StatusOr<RecordPage> PostgresReader::ListRecords(
    const RecordQuery& query) {
  return RunReadAfterHorizon<RecordPage>(
      &pool_, query, [&query](PostgresConnection* connection) {
        return ListRun(connection, query).Run();
      });
}

}  // namespace tokenusage
