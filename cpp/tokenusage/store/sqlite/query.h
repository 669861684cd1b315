// SPDX-License-Identifier: Apache-2.0

// Totals from the database.

#ifndef TOKENUSAGE_STORE_SQLITE_QUERY_H_
#define TOKENUSAGE_STORE_SQLITE_QUERY_H_

#include <cstdint>
#include <string_view>

#include "absl/status/statusor.h"
#include "tokenusage/store/sqlite/database.h"
#include "tokenusage/store/usage_query.h"

namespace tokenusage {

// See UsageStore::Query. The caller has begun a transaction.
absl::StatusOr<UsageQueryPage> QueryUsage(SqliteDatabase* database,
                                          const UsageQuery& query);

// 0 where the project has no records.
absl::StatusOr<std::int64_t> FindProjectId(SqliteDatabase* database,
                                           std::string_view project);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_SQLITE_QUERY_H_
