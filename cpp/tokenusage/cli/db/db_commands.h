// SPDX-License-Identifier: Apache-2.0

// The subcommands of `tokenusage db`, one file each, and what they share.

#ifndef TOKENUSAGE_CLI_DB_DB_COMMANDS_H_
#define TOKENUSAGE_CLI_DB_DB_COMMANDS_H_

#include <functional>
#include <memory>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tokenusage/cli/exit_code.h"
#include "tokenusage/store/usage_store.h"

namespace tokenusage {

void AddDbBackupCommand(CLI::App* db, int* exit_code);
void AddDbCheckCommand(CLI::App* db, int* exit_code);
void AddDbCopyCommand(CLI::App* db, int* exit_code);
void AddDbDeleteProjectCommand(CLI::App* db, int* exit_code);
void AddDbMigrateCommand(CLI::App* db, int* exit_code);
void AddDbRebuildRollupsCommand(CLI::App* db, int* exit_code);

// Adds --store. `url` holds the default and must outlive the command.
void AddStoreFlag(CLI::App* command, std::string* url);

// Opens a store that is there, for changes: no service may have it open.
absl::StatusOr<std::unique_ptr<UsageStore>> OpenExistingStore(
    const std::string& url);

// Has the command call `run` and leave the exit code; says what failed. Damage
// of the data is kExitBadInput.
void SetDbCallback(CLI::App* command, int* exit_code,
                   std::function<absl::Status()> run);

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLI_DB_DB_COMMANDS_H_
