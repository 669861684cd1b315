// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/postgres/record_steps.h"

#include "tokenusage/base/status_macros.h"
#include "tokenusage/store/deadline.h"
#include "tokenusage/store/postgres/table/sql.h"
#include "tokenusage/store/query/query_plan.h"

namespace tokenusage {
namespace {

constexpr std::int64_t kRecordsPerStep = 20'000;

}  // namespace

absl::Status ForEachRecordStep(
    PostgresConnection* connection, const std::string& project,
    TimeWindow window, const CallLimits& limits,
    const std::function<absl::Status(TimeWindow)>& each) {
  std::int64_t start = window.start_nanos;
  for (;;) {
    TOKENUSAGE_RETURN_IF_ERROR(CheckLimits(limits));
    TOKENUSAGE_ASSIGN_OR_RETURN(
        const PostgresResult nth,
        connection->Run(PostgresTimeouts::kMaintenanceStep,
                        postgres_sql::kNthRecordTime, project, start,
                        kRecordsPerStep));
    const std::int64_t time = nth.rows() == 0 ? kEndOfTime : nth.Int64(0, 0);
    if (time >= window.end_nanos) return each({start, window.end_nanos});
    std::int64_t end = time - time % kNanosPerHour;
    if (end <= start) end += kNanosPerHour;
    TOKENUSAGE_RETURN_IF_ERROR(each({start, end}));
    start = end;
  }
}

}  // namespace tokenusage
