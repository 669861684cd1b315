// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/postgres/record_steps.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/store/deadline.h"
#include "tokenusage/store/postgres/sql.h"
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
    PostgresParams params;
    params.AddText(project);
    params.AddInt64(start);
    params.AddInt64(kRecordsPerStep);
    connection->Send(postgres_sql::kNthRecordTime, params);
    TOKENUSAGE_ASSIGN_OR_RETURN(
        const std::vector<PostgresResult> results,
        connection->Sync(absl::Now() + PostgresTimeouts::kMaintenanceStep));
    if (results[0].rows() == 0) return each({start, kEndOfTime});
    const std::int64_t time = results[0].Int64(0, 0);
    std::int64_t end = time - time % kNanosPerHour;
    if (end <= start) end += kNanosPerHour;
    TOKENUSAGE_RETURN_IF_ERROR(each({start, end}));
    start = end;
  }
}

}  // namespace tokenusage
