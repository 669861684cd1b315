// SPDX-License-Identifier: Apache-2.0

// Deletes selected records.
//
//   TOKENUSAGE_ASSIGN_OR_RETURN(
//       const Removal removal,
//       DeleteSelectedRecords(selection, /*dry_run=*/false, limits,
//       transactions));

#ifndef TOKENUSAGE_STORE_SQLITE_RECORD_DELETION_H_
#define TOKENUSAGE_STORE_SQLITE_RECORD_DELETION_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tokenusage/store/sqlite/connection/database.h"
#include "tokenusage/store/sqlite/transactions.h"
#include "tokenusage/store/store_maintenance.h"

namespace tokenusage {

// See StoreMaintenance::DeleteRecords. Looks for records in transactions that
// read, and deletes up to 500 at a time in one that writes, which looks at each
// of them again.
absl::StatusOr<Removal> DeleteSelectedRecords(const RecordSelection& selection,
                                              bool dry_run,
                                              const CallLimits& limits,
                                              SqliteTransactions* transactions);

// Adds a deletion that begins now, and returns its id.
absl::StatusOr<std::int64_t> AddDeletion(SqliteDatabase* database,
                                         const std::string& project,
                                         const std::string& selection);

// Adds to the number of records that a deletion has deleted.
absl::Status CountDeleted(SqliteDatabase* database, std::int64_t deletion_id,
                          std::int64_t record_count);

// See StoreMaintenance::Deletions.
absl::StatusOr<std::vector<Deletion>> ReadDeletions(SqliteDatabase* database);

// Returns whether DeleteSelectedRecords has deleted records of the project of
// this name.
absl::StatusOr<bool> HasDeletions(SqliteDatabase* database,
                                  const std::string& project);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_SQLITE_RECORD_DELETION_H_
