// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/postgres/horizon.h"

#include <vector>

#include "absl/time/clock.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/store/postgres/sql.h"
#include "tokenusage/store/postgres/timeouts.h"
#include "tokenusage/store/query/query_plan.h"

namespace tokenusage {

absl::StatusOr<std::int64_t> ReadPostgresHorizon(PostgresConnection* connection,
                                                 const std::string& project) {
  PostgresParams params;
  params.AddText(project);
  connection->Send(postgres_sql::SelectHorizon(), params);
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const std::vector<PostgresResult> results,
      connection->Sync(absl::Now() + PostgresTimeouts::kStep));
  const std::int64_t seconds =
      results[0].rows() == 0 ? 0 : results[0].Int64(0, 0);
  return seconds == 0 ? kNoHorizon : seconds * kNanosPerSecond;
}

}  // namespace tokenusage
