// SPDX-License-Identifier: Apache-2.0

#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tokenusage/cli/commands.h"
#include "tokenusage/cli/db/db_commands.h"
#include "tokenusage/cli/open_store.h"
#include "tokenusage/cli/terminal.h"

namespace tokenusage {
namespace {

constexpr char kFooter[] = R"(
`rebuild-rollups` is refused while a service has the SQLite database open; the others
work beside it. On PostgreSQL all of them do: docs/data.md.

Exit codes: 0 done, nothing is wrong; 1 failure; 2 the data is damaged; 64 wrong usage.

Examples:
  tokenusage db check --store=sqlite://usage.db
  tokenusage db backup --store=sqlite://usage.db backup/2026-11-22.db
  tokenusage db COMMAND --help)";

}  // namespace

void AddStoreFlag(CLI::App* command, std::string* url) {
  *url = "sqlite://tokenusage.db";
  command->add_option("--store", *url, kStoreUrlHelp)
      ->type_name("URL")
      ->envname("TOKENUSAGE_STORE")
      ->capture_default_str();
}

absl::Status InFlag(const std::string& flag, const absl::Status& status) {
  if (status.ok()) return status;
  return absl::Status(status.code(),
                      absl::StrCat(flag, ": ", status.message()));
}

absl::Status InProject(const std::string& project, const absl::Status& status) {
  // SQLite's own NOT_FOUND names the file.
  if (!absl::IsNotFound(status) || status.message() != "no such project") {
    return status;
  }
  return absl::NotFoundError(absl::StrCat("there is no project ", project));
}

absl::Status ConfirmRemoval(const std::string& what,
                            const std::string& project) {
  PrintError(absl::StrCat("this removes ", what,
                          " permanently; type the project's name to confirm"));
  std::string line;
  std::getline(std::cin, line);
  if (line == project) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "the name was not repeated: nothing was removed");
}

absl::StatusOr<std::unique_ptr<UsageStore>> OpenExistingStore(
    const std::string& url) {
  OpenStoreOptions options;
  options.create_if_missing = false;
  return OpenStore(url, options);
}

Command AddDbCommand(CLI::App* app) {
  CLI::App* db = app->add_subcommand(
      "db", "Maintain a database: check, back up, migrate and so on");
  db->footer(kFooter);
  db->require_subcommand(1);
  const std::vector<Command> commands = {
      AddDbCheckCommand(db),          AddDbBackupCommand(db),
      AddDbRebuildRollupsCommand(db), AddDbMigrateCommand(db),
      AddDbCopyCommand(db),           AddDbRetainCommand(db),
      AddDbDeleteProjectCommand(db),  AddDbDeleteRecordsCommand(db),
      AddDbDeletionsCommand(db)};
  return {db, [commands] { return RunNamed(commands); }};
}

}  // namespace tokenusage
