// SPDX-License-Identifier: Apache-2.0

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/cli/db/db_commands.h"
#include "tokenusage/cli/open_store.h"
#include "tokenusage/cli/terminal.h"
#include "tokenusage/record/checked_record.h"
#include "tokenusage/store/sqlite/maintenance.h"

namespace tokenusage {
namespace {

constexpr char kFooter[] = R"(
Removes a project with its records and totals, permanently. Without --yes it asks for
the project's name again on stdin. If it is killed, it may leave records that no query
counts; run it again. A service may be running. `tokenusage db deletions` lists it.

Exit codes: 0 done; 1 failure, for example if there is no such project; 2 the database
is damaged; 64 wrong usage, or the name was not repeated.)";

struct DeleteFlags {
  std::string store;
  std::string project;
  bool yes = false;
};

absl::StatusOr<Removal> Delete(const DeleteFlags& flags) {
  const std::string path(SqlitePathOf(flags.store));
  if (!path.empty()) return DeleteSqliteProject(path, flags.project);
  TOKENUSAGE_ASSIGN_OR_RETURN(const auto store, OpenExistingStore(flags.store));
  return store->maintenance()->DeleteProject(flags.project, CallLimits());
}

absl::Status DeleteProject(const DeleteFlags& flags) {
  TOKENUSAGE_RETURN_IF_ERROR(InFlag("--project", CheckProject(flags.project)));
  if (!flags.yes) {
    TOKENUSAGE_RETURN_IF_ERROR(ConfirmRemoval(
        absl::StrCat("all records and totals of project ", flags.project),
        flags.project));
  }
  const auto removal = Delete(flags);
  TOKENUSAGE_RETURN_IF_ERROR(InProject(flags.project, removal.status()));
  PrintData(absl::StrCat("removed records ", removal->record_count, "\n"));
  return absl::OkStatus();
}

}  // namespace

Command AddDbDeleteProjectCommand(CLI::App* db) {
  auto flags = std::make_shared<DeleteFlags>();
  CLI::App* command = db->add_subcommand(
      "delete-project", "Remove a project with its records and totals");
  command->footer(kFooter);
  AddStoreFlag(command, &flags->store);
  command->add_option("--project", flags->project, "The project")->required();
  command->add_flag("--yes", flags->yes, "Do not ask for the project's name");
  return {command, [flags] { return FinishLocal(DeleteProject(*flags)); }};
}

}  // namespace tokenusage
