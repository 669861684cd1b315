// SPDX-License-Identifier: Apache-2.0

// The deletion of projects. A project being deleted is renamed to
// "deleted/...", a name no project can have, until all its data is removed.

#ifndef TOKENUSAGE_STORE_SQLITE_DELETED_PROJECT_H_
#define TOKENUSAGE_STORE_SQLITE_DELETED_PROJECT_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "tokenusage/store/sqlite/database.h"
#include "tokenusage/store/sqlite/horizon.h"

namespace tokenusage {

// Returns whether the project of this name is being deleted.
bool IsDeletedProject(std::string_view name);

// Renames a project to be deleted. Returns whether there is data of a project
// of this name to remove, now or from an interrupted deletion. In the caller's
// transaction.
absl::StatusOr<bool> RenameDeletedProject(SqliteDatabase* database,
                                          const std::string& project);

// Removes some data of a deleted project whose name was `project`, or of any if
// that is empty.
absl::StatusOr<RemovalStep> RemoveSomeOfDeletedProjects(
    SqliteDatabase* database, const std::string& project);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_SQLITE_DELETED_PROJECT_H_
