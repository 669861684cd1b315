// SPDX-License-Identifier: Apache-2.0

// Deletes selected records.
//
//   TOKENUSAGE_ASSIGN_OR_RETURN(
//       const Removal removal,
//       DeletePostgresRecords(&pool, selection, /*dry_run=*/false, limits));

#ifndef TOKENUSAGE_STORE_POSTGRES_RECORD_DELETION_H_
#define TOKENUSAGE_STORE_POSTGRES_RECORD_DELETION_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "tokenusage/store/postgres/connection/pool.h"
#include "tokenusage/store/postgres/connection/values.h"
#include "tokenusage/store/store_maintenance.h"

namespace tokenusage {

// See StoreMaintenance::DeleteRecords. Deletes up to 500 records in each
// transaction, in which appends to the project wait.
absl::StatusOr<Removal> DeletePostgresRecords(PostgresPool* pool,
                                              const RecordSelection& selection,
                                              bool dry_run,
                                              const CallLimits& limits);

// Returns the parameters of postgres_sql::kAddDeletion.
PostgresParams DeletionParams(std::int64_t deletion_id,
                              const Deletion& deletion);

// See StoreMaintenance::Deletions.
absl::StatusOr<std::vector<Deletion>> ReadPostgresDeletions(PostgresPool* pool);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_POSTGRES_RECORD_DELETION_H_
