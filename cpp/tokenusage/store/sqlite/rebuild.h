// SPDX-License-Identifier: Apache-2.0

// Rebuilds a SQLite database's rollups from its records.

#ifndef TOKENUSAGE_STORE_SQLITE_REBUILD_H_
#define TOKENUSAGE_STORE_SQLITE_REBUILD_H_

#include "absl/status/statusor.h"
#include "tokenusage/store/sqlite/database.h"
#include "tokenusage/store/store_maintenance.h"

namespace tokenusage {

// See StoreMaintenance::RebuildRollups. Runs its own transaction; after an
// error the caller must close the connection, and nothing has changed.
absl::StatusOr<Rebuild> RebuildSqliteRollups(SqliteDatabase* database,
                                             const CallLimits& limits);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_SQLITE_REBUILD_H_
