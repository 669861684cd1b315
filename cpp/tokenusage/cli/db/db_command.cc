// SPDX-License-Identifier: Apache-2.0

#include <memory>
#include <string>
#include <utility>

#include "tokenusage/cli/commands.h"
#include "tokenusage/cli/db/db_commands.h"
#include "tokenusage/cli/exit_code.h"
#include "tokenusage/cli/open_store.h"
#include "tokenusage/cli/terminal.h"

namespace tokenusage {
namespace {

constexpr char kFooter[] = R"(
`check`, `backup` and `copy` work beside a service that has the SQLite database open;
the others change it, and are refused then. On PostgreSQL all do: docs/data.md.

Exit codes: 0 done, and all is well; 1 it could not be done; 2 the data is damaged;
64 wrong usage.

Examples:
  tokenusage db check --store=sqlite://usage.db
  tokenusage db backup --store=sqlite://usage.db backup/2026-11-22.db
  tokenusage db COMMAND --help)";

ExitCode DbExitCode(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return kExitOk;
    case absl::StatusCode::kDataLoss:
      return kExitBadInput;
    case absl::StatusCode::kInvalidArgument:
      return kExitUsage;
    default:
      return kExitFailure;
  }
}

}  // namespace

void AddStoreFlag(CLI::App* command, std::string* url) {
  *url = "sqlite://tokenusage.db";
  command->add_option("--store", *url, kStoreUrlHelp)
      ->type_name("URL")
      ->envname("TOKENUSAGE_STORE")
      ->capture_default_str();
}

absl::StatusOr<std::unique_ptr<UsageStore>> OpenExistingStore(
    const std::string& url) {
  OpenStoreOptions options;
  options.create_if_missing = false;
  return OpenStore(url, options);
}

void SetDbCallback(CLI::App* command, int* exit_code,
                   std::function<absl::Status()> run) {
  command->callback([exit_code, run = std::move(run)] {
    const absl::Status status = run();
    if (!status.ok()) PrintError(std::string(status.message()));
    *exit_code = DbExitCode(status);
  });
}

void AddDbCommand(CLI::App* app, int* exit_code) {
  CLI::App* db = app->add_subcommand(
      "db", "Look after a database: check, backup, migrate and so on");
  db->footer(kFooter);
  db->require_subcommand(1);
  AddDbCheckCommand(db, exit_code);
  AddDbBackupCommand(db, exit_code);
  AddDbRebuildRollupsCommand(db, exit_code);
  AddDbMigrateCommand(db, exit_code);
  AddDbCopyCommand(db, exit_code);
  AddDbDeleteProjectCommand(db, exit_code);
}

}  // namespace tokenusage
