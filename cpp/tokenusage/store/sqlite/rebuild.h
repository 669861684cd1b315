// SPDX-License-Identifier: Apache-2.0

// The sums of a SQLite database, made anew from its records.

#ifndef TOKENUSAGE_STORE_SQLITE_REBUILD_H_
#define TOKENUSAGE_STORE_SQLITE_REBUILD_H_

#include "absl/status/statusor.h"
#include "tokenusage/store/sqlite/database.h"
#include "tokenusage/store/store_maintenance.h"

namespace tokenusage {

// See UsageStore::RebuildRollups. In a transaction of its own; after an error
// the caller closes the connection, and nothing has changed.
absl::StatusOr<Rebuild> RebuildSqliteRollups(SqliteDatabase* database,
                                             const CallLimits& limits);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_SQLITE_REBUILD_H_
