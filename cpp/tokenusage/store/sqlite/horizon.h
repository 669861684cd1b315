// SPDX-License-Identifier: Apache-2.0

// The horizon of a SQLite database, and the removal of the records before it.

#ifndef TOKENUSAGE_STORE_SQLITE_HORIZON_H_
#define TOKENUSAGE_STORE_SQLITE_HORIZON_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tokenusage/store/sqlite/database.h"

namespace tokenusage {

// Returns nanoseconds since 1970; kNoHorizon if there is none.
absl::StatusOr<std::int64_t> ReadHorizon(SqliteDatabase* database);

// Sets the horizon, unless it is later already, and returns it. In the caller's
// transaction.
absl::StatusOr<std::int64_t> MoveHorizon(SqliteDatabase* database,
                                         std::int64_t horizon_nanos);

// See StoreMaintenance::NewestRecordTime.
absl::StatusOr<absl::Time> ReadNewestRecordTime(SqliteDatabase* database);

// The most rows that one step of a removal deletes: a few milliseconds of work,
// so that appends hardly wait.
inline constexpr std::int64_t kRowsPerRemovalStep = 1000;

// One step of a removal, in the caller's transaction.
struct RemovalStep {
  std::int64_t record_count = 0;  // removed by this step
  bool done = false;              // nothing is left
};

// Deletes up to `limit` records of a project that lie before a time, and
// returns how many.
absl::StatusOr<std::int64_t> DeleteRecordsBefore(SqliteDatabase* database,
                                                 std::int64_t project_id,
                                                 std::int64_t before_nanos,
                                                 std::int64_t limit);

// Removes some records before the horizon. `project_id` is where the previous
// step stopped, 0 at first.
absl::StatusOr<RemovalStep> RemoveSomeRecords(SqliteDatabase* database,
                                              std::int64_t* project_id);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_SQLITE_HORIZON_H_
