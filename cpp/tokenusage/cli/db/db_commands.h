// SPDX-License-Identifier: Apache-2.0

// The subcommands of `tokenusage db`, and their shared helpers.

#ifndef TOKENUSAGE_CLI_DB_DB_COMMANDS_H_
#define TOKENUSAGE_CLI_DB_DB_COMMANDS_H_

#include <memory>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tokenusage/cli/commands.h"
#include "tokenusage/store/usage_store.h"

namespace tokenusage {

Command AddDbBackupCommand(CLI::App* db);
Command AddDbCheckCommand(CLI::App* db);
Command AddDbCopyCommand(CLI::App* db);
Command AddDbDeleteProjectCommand(CLI::App* db);
Command AddDbDeleteRecordsCommand(CLI::App* db);
Command AddDbDeletionsCommand(CLI::App* db);
Command AddDbMigrateCommand(CLI::App* db);
Command AddDbRebuildRollupsCommand(CLI::App* db);
Command AddDbRetainCommand(CLI::App* db);

// Adds --store. Sets `url` to the default; it must outlive the command.
void AddStoreFlag(CLI::App* command, std::string* url);

// Returns the status of a store's work on a project. If there is no such
// project, the message names it.
absl::Status InProject(const std::string& project, const absl::Status& status);

// Opens an existing store. No service may have a SQLite database open; beside a
// PostgreSQL one, services may run. Errors: those of OpenStore.
absl::StatusOr<std::unique_ptr<UsageStore>> OpenExistingStore(
    const std::string& url);

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLI_DB_DB_COMMANDS_H_
