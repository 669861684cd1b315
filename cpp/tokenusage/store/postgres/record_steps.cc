// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/postgres/record_steps.h"

#include <algorithm>
#include <limits>

#include "tokenusage/base/status_macros.h"
#include "tokenusage/store/deadline.h"
#include "tokenusage/store/postgres/table/sql.h"
#include "tokenusage/store/query/query_plan.h"

namespace tokenusage {
namespace {

constexpr std::int64_t kRecordsPerStep = 20'000;
constexpr std::int64_t kEndOfTime = std::numeric_limits<std::int64_t>::max();

}  // namespace

absl::Status ForEachRecordStep(
    PostgresConnection* connection, const std::string& project,
    std::int64_t from_nanos, const CallLimits& limits,
    const std::function<absl::Status(TimeWindow)>& each) {
  // No record is from before 1970.
  std::int64_t start = std::max<std::int64_t>(0, from_nanos);
  for (;;) {
    TOKENUSAGE_RETURN_IF_ERROR(CheckLimits(limits));
    TOKENUSAGE_ASSIGN_OR_RETURN(
        const PostgresResult nth,
        connection->Run(PostgresTimeouts::kMaintenanceStep,
                        postgres_sql::kNthRecordTime, project, start,
                        kRecordsPerStep));
    if (nth.rows() == 0) return each({start, kEndOfTime});
    const std::int64_t time = nth.Int64(0, 0);
    std::int64_t end = time - time % kNanosPerHour;
    if (end <= start) end += kNanosPerHour;
    TOKENUSAGE_RETURN_IF_ERROR(each({start, end}));
    start = end;
  }
}

}  // namespace tokenusage
