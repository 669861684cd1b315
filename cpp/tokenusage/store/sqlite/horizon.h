// SPDX-License-Identifier: Apache-2.0

// The horizon of a SQLite database, and the removal of what lies before it.

#ifndef TOKENUSAGE_STORE_SQLITE_HORIZON_H_
#define TOKENUSAGE_STORE_SQLITE_HORIZON_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tokenusage/store/sqlite/database.h"

namespace tokenusage {

// In nanoseconds since 1970; kNoHorizon where there is none.
absl::StatusOr<std::int64_t> ReadHorizon(SqliteDatabase* database);

// Sets the horizon, unless it is later already; returns what it is then. In the
// caller's transaction.
absl::StatusOr<std::int64_t> MoveHorizon(SqliteDatabase* database,
                                         std::int64_t horizon_nanos);

// See UsageStore::NewestRecordTime.
absl::StatusOr<absl::Time> ReadNewestRecordTime(SqliteDatabase* database);

// Projects that are being deleted have another name until all they held is
// gone, one that no project can have: with a slash.
bool IsDeletedProject(std::string_view name);

// Gives the project such a name. Whether there is one of that name to remove,
// now or from a deletion that was cut short. In the caller's transaction.
absl::StatusOr<bool> RenameDeletedProject(SqliteDatabase* database,
                                          const std::string& project);

// One step of a removal, in the caller's transaction.
struct RemovalStep {
  std::int64_t record_count = 0;  // removed by this step
  bool done = false;              // nothing is left
};

// Removes some records that lie before the horizon. `project_id` is where the
// step before has stopped, 0 at first.
absl::StatusOr<RemovalStep> RemoveSomeRecords(SqliteDatabase* database,
                                              std::int64_t* project_id);

// Removes something of a project that is being deleted; of any whose name was
// `project`, or of all where that is empty.
absl::StatusOr<RemovalStep> RemoveSomeOfDeletedProjects(
    SqliteDatabase* database, const std::string& project);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_SQLITE_HORIZON_H_
