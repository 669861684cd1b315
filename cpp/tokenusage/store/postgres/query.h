// SPDX-License-Identifier: Apache-2.0

// Totals from a PostgreSQL database.

#ifndef TOKENUSAGE_STORE_POSTGRES_QUERY_H_
#define TOKENUSAGE_STORE_POSTGRES_QUERY_H_

#include "absl/status/statusor.h"
#include "tokenusage/store/postgres/connection.h"
#include "tokenusage/store/query/query_plan.h"
#include "tokenusage/store/usage_query.h"

namespace tokenusage {

// See UsageStore::Query. `projects` are those of the query that exist.
absl::StatusOr<UsageQueryPage> QueryPostgres(
    PostgresConnection* connection, const UsageQuery& query,
    const std::vector<ProjectHorizon>& projects);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_POSTGRES_QUERY_H_
