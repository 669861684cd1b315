// SPDX-License-Identifier: Apache-2.0

#include <iostream>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/cli/db/db_commands.h"
#include "tokenusage/cli/terminal.h"
#include "tokenusage/record/checked_record.h"

namespace tokenusage {
namespace {

constexpr char kFooter[] = R"(
Removes a project with its records and totals, permanently. Without --yes it asks for
the project's name again on stdin. If it is killed, it may leave records that no query
counts; run it again. No service may have the database open.

Exit codes: 0 done; 1 failure, for example if there is no such project; 2 the database
is damaged; 64 wrong usage, or the name was not repeated.)";

struct DeleteFlags {
  std::string store;
  std::string project;
  bool yes = false;
};

absl::Status Confirm(const DeleteFlags& flags) {
  if (flags.yes) return absl::OkStatus();
  PrintError(absl::StrCat("this removes all records and totals of project ",
                          flags.project,
                          " permanently; type its name to confirm"));
  std::string line;
  std::getline(std::cin, line);
  if (line == flags.project) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "the name was not repeated: nothing was removed");
}

absl::Status DeleteProject(const DeleteFlags& flags) {
  if (absl::Status status = CheckProject(flags.project); !status.ok()) {
    return absl::Status(status.code(),
                        absl::StrCat("--project: ", status.message()));
  }
  TOKENUSAGE_ASSIGN_OR_RETURN(const auto store, OpenExistingStore(flags.store));
  TOKENUSAGE_RETURN_IF_ERROR(Confirm(flags));
  const auto removal =
      store->maintenance()->DeleteProject(flags.project, CallLimits());
  if (absl::IsNotFound(removal.status())) {
    return absl::NotFoundError(
        absl::StrCat("there is no project ", flags.project));
  }
  if (!removal.ok()) return removal.status();
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
  command->add_flag("--yes", flags->yes, "Do not ask for the name again");
  return {command, [flags] { return FinishLocal(DeleteProject(*flags)); }};
}

}  // namespace tokenusage
