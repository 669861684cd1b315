// SPDX-License-Identifier: Apache-2.0

// Deletes projects. A project being deleted is renamed to "deleted/ID/NAME", a
// name no project can have, until all its data is removed: ID is that of its
// row in `deletion`, which counts the records.

#ifndef TOKENUSAGE_STORE_SQLITE_DELETED_PROJECT_H_
#define TOKENUSAGE_STORE_SQLITE_DELETED_PROJECT_H_

#include <functional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "tokenusage/store/sqlite/connection/database.h"
#include "tokenusage/store/sqlite/table/horizon.h"
#include "tokenusage/store/sqlite/transactions.h"
#include "tokenusage/store/store_maintenance.h"

namespace tokenusage {

// Returns whether the project of this name is being deleted.
bool IsDeletedProject(std::string_view name);

// See StoreMaintenance::DeleteProject.
absl::StatusOr<Removal> DeleteProjectInSteps(const std::string& project,
                                             const CallLimits& limits,
                                             SqliteTransactions* transactions);

// Removes what interrupted deletions left.
absl::Status RemoveDeletedProjects(const CallLimits& limits,
                                   SqliteTransactions* transactions);

// Repeats the step, each time in a transaction, until nothing is left; returns
// the number of removed records.
absl::StatusOr<Removal> RemoveInSteps(
    const CallLimits& limits,
    const std::function<absl::StatusOr<RemovalStep>(SqliteDatabase*)>& step,
    SqliteTransactions* transactions);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_SQLITE_DELETED_PROJECT_H_
