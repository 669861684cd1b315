// SPDX-License-Identifier: Apache-2.0

// Reads totals from a PostgreSQL database.

#ifndef TOKENUSAGE_STORE_POSTGRES_QUERY_H_
#define TOKENUSAGE_STORE_POSTGRES_QUERY_H_

#include <vector>

#include "absl/status/statusor.h"
#include "tokenusage/store/postgres/connection/connection.h"
#include "tokenusage/store/query/query_plan.h"
#include "tokenusage/store/usage_query.h"

namespace tokenusage {

// Returns what UsageStore::Query does, but does not check the horizons.
// `projects` are those of the query that exist.
absl::StatusOr<UsageQueryPage> QueryPostgres(
    PostgresConnection* connection, const UsageQuery& query,
    const std::vector<ProjectHorizon>& projects);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_POSTGRES_QUERY_H_
