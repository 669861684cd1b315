// SPDX-License-Identifier: Apache-2.0

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "tokenusage/cli/commands.h"
#include "tokenusage/cli/db/db_commands.h"
#include "tokenusage/cli/open_store.h"

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
  WithEnvironment(command->add_option("--store", *url, kStoreUrlHelp))
      ->type_name("URL")
      ->capture_default_str();
}

absl::Status InProject(const std::string& project, const absl::Status& status) {
  // SQLite's own NOT_FOUND names the file.
  if (!absl::IsNotFound(status) || status.message() != "no such project") {
    return status;
  }
  return absl::NotFoundError(absl::StrCat("there is no project ", project));
}

absl::StatusOr<std::unique_ptr<UsageStore>> OpenExistingStore(
    const std::string& url) {
  OpenStoreOptions options;
  options.create_if_missing = false;
  return OpenStore(url, options);
}

Command AddDbCommand(CLI::App* app) {
  CLI::App* db = AddSubcommand(
      app, "db", "Maintain a database: check, back up, migrate and so on",
      kFooter);
  return WithSubcommands(
      db, {AddDbCheckCommand(db), AddDbBackupCommand(db),
           AddDbRebuildRollupsCommand(db), AddDbMigrateCommand(db),
           AddDbCopyCommand(db), AddDbRetainCommand(db),
           AddDbDeleteProjectCommand(db), AddDbDeleteRecordsCommand(db),
           AddDbDeletionsCommand(db)});
}

}  // namespace tokenusage
