// SPDX-License-Identifier: Apache-2.0

// Checks that the content of a SQLite database is consistent.

#ifndef TOKENUSAGE_STORE_SQLITE_CHECK_H_
#define TOKENUSAGE_STORE_SQLITE_CHECK_H_

#include "absl/status/statusor.h"
#include "tokenusage/store/sqlite/connection/database.h"
#include "tokenusage/store/store_maintenance.h"

namespace tokenusage {

// See StoreMaintenance::Check. The caller has begun a transaction. Memory is
// bounded however large the database is.
absl::StatusOr<CheckReport> CheckSqliteContent(SqliteDatabase* database,
                                               const CheckOptions& options);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_SQLITE_CHECK_H_
