// SPDX-License-Identifier: Apache-2.0

// Keeps the horizons of projects, and removes the records before them.

#ifndef TOKENUSAGE_STORE_SQLITE_TABLE_HORIZON_H_
#define TOKENUSAGE_STORE_SQLITE_TABLE_HORIZON_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tokenusage/store/query/query_plan.h"
#include "tokenusage/store/sqlite/connection/database.h"
#include "tokenusage/store/store_maintenance.h"

namespace tokenusage {

// Returns a project's horizon in nanoseconds since 1970; kNoHorizon if it has
// none.
absl::StatusOr<std::int64_t> ReadHorizon(SqliteDatabase* database,
                                         std::int64_t project_id);

// Returns the same, with the time since which the project has rollups by label.
// Sets neither the name nor the labels.
absl::StatusOr<ProjectHorizon> ReadHorizons(SqliteDatabase* database,
                                            std::int64_t project_id);

// Sets a project's horizon, unless it is later already. In the caller's
// transaction.
absl::Status MoveHorizon(SqliteDatabase* database, std::int64_t project_id,
                         std::int64_t horizon_nanos);

// See UsageStore::ListProjects.
absl::StatusOr<std::vector<StoredProject>> ReadProjects(
    SqliteDatabase* database);

// See StoreMaintenance::Retention.
absl::StatusOr<std::vector<ProjectRetention>> ReadRetention(
    SqliteDatabase* database);

// See StoreMaintenance::SetRetention. Needs no transaction.
absl::Status WriteRetention(SqliteDatabase* database, std::string_view project,
                            absl::Duration retain);

// The most rows that one step of a removal deletes: a few milliseconds of work,
// so that appends hardly wait.
inline constexpr std::int64_t kRowsPerRemovalStep = 1000;

// The result of one step of a removal.
struct RemovalStep {
  std::int64_t record_count = 0;  // removed by this step
  bool done = false;              // nothing is left
};

// Deletes some records of a project that lie before a time, or its horizon. In
// the caller's transaction.
absl::StatusOr<RemovalStep> RemoveSomeRecords(SqliteDatabase* database,
                                              std::int64_t project_id,
                                              std::int64_t before_nanos);
absl::StatusOr<RemovalStep> RemoveBeforeHorizon(SqliteDatabase* database,
                                                std::int64_t project_id);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_SQLITE_TABLE_HORIZON_H_
