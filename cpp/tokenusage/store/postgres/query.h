// SPDX-License-Identifier: Apache-2.0

// Totals from a PostgreSQL database.

#ifndef TOKENUSAGE_STORE_POSTGRES_QUERY_H_
#define TOKENUSAGE_STORE_POSTGRES_QUERY_H_

#include "absl/status/statusor.h"
#include "tokenusage/store/postgres/connection.h"
#include "tokenusage/store/usage_query.h"

namespace tokenusage {

// See UsageStore::Query.
absl::StatusOr<UsageQueryPage> QueryPostgres(PostgresConnection* connection,
                                             const UsageQuery& query);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_POSTGRES_QUERY_H_
