#include "tokenusage/store/postgres_reader.h"

#include <cstddef>
#include <cstdint>
#include <utility>

#include "tokenusage/base/status_macros.h"
#include "tokenusage/store/deadline.h"
#include "tokenusage/store/postgres_query.h"
#include "tokenusage/store/postgres_sql.h"

namespace tokenusage {
namespace {

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
  TOKENUSAGE_RETURN_IF_ERROR(DeadlineCheck(limits).CheckNow());
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

}  // namespace

absl::StatusOr<UsageQueryPage> PostgresReader::Query(const UsageQuery& query) {
  return RunRead<UsageQueryPage>(&pool_, query.limits,
                                 [&query](PostgresConnection* connection) {
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
        absl::StatusOr<v1::UsageRecord> record =
            absl::NotFoundError("no such record");
        TOKENUSAGE_RETURN_IF_ERROR(connection->Stream(
            postgres_sql::SelectRecord(), params, {},
            [&](const PostgresResult& row) -> absl::StatusOr<bool> {
              record = ParseRecord(*connection, row.Bytes(0, 0));
              return true;
            }));
        return record;
      });
}

absl::StatusOr<RecordPage> PostgresReader::ListRecords(
    const RecordQuery& query) {
  return RunRead<RecordPage>(&pool_, query.limits,
                             [&query](PostgresConnection* connection) {
                               return ListRun(connection, query).Run();
                             });
}

}  // namespace tokenusage
