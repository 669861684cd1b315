// SPDX-License-Identifier: Apache-2.0

// The deletion of selected records.
//
//   TOKENUSAGE_ASSIGN_OR_RETURN(
//       const Removal removal,
//       DeleteSelectedRecords(selection, /*dry_run=*/false, limits,
//       transactions));

#ifndef TOKENUSAGE_STORE_SQLITE_RECORD_DELETION_H_
#define TOKENUSAGE_STORE_SQLITE_RECORD_DELETION_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tokenusage/store/sqlite/database.h"
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

// See StoreMaintenance::Deletions.
absl::StatusOr<std::vector<Deletion>> ReadDeletions(SqliteDatabase* database);

// Returns whether records of the project of this name were deleted.
absl::StatusOr<bool> HasDeletions(SqliteDatabase* database,
                                  const std::string& project);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_SQLITE_RECORD_DELETION_H_
