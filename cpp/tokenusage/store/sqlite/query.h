// SPDX-License-Identifier: Apache-2.0

// Reads totals from the database.

#ifndef TOKENUSAGE_STORE_SQLITE_QUERY_H_
#define TOKENUSAGE_STORE_SQLITE_QUERY_H_

#include "absl/status/statusor.h"
#include "tokenusage/store/sqlite/connection/database.h"
#include "tokenusage/store/usage_query.h"

namespace tokenusage {

// See UsageStore::Query. The caller has begun a transaction.
absl::StatusOr<UsageQueryPage> QueryUsage(SqliteDatabase* database,
                                          const UsageQuery& query);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_SQLITE_QUERY_H_
