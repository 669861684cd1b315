// SPDX-License-Identifier: Apache-2.0

// delete-project, delete-records and deletions.

#include <iostream>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/base/string_view.h"
#include "tokenusage/cli/client/filter_flags.h"
#include "tokenusage/cli/client/window_flags.h"
#include "tokenusage/cli/db/db_commands.h"
#include "tokenusage/cli/open_store.h"
#include "tokenusage/cli/terminal.h"
#include "tokenusage/record/record_rules.h"
#include "tokenusage/service/rpc/page_token.h"
#include "tokenusage/service/rpc/request_checks.h"
#include "tokenusage/store/query/record_selection.h"
#include "tokenusage/store/sqlite/maintenance.h"

namespace tokenusage {
namespace {

constexpr char kProjectFooter[] = R"(
Removes a project with its records and totals, permanently. Without --yes it asks for
the project's name again on stdin. If it is killed, it may leave records that no query
counts; run it again. A service may be running. `tokenusage db deletions` lists it.

Exit codes: 0 done; 1 failure, for example if there is no such project; 2 the database
is damaged; 64 wrong usage, or the name was not repeated.)";

constexpr char kRecordsFooter[] = R"(
Permanently deletes the records that pass all filters. Filters are those of `list`, or
record_id=ID for one record. Totals shrink by what these records counted. A record is
chosen by its own fields: what corrects it, or is corrected by it, stays as it is.
Without --yes, the project's name must be typed on stdin. A service may be running. If
the command is killed, run it again. `tokenusage db deletions` lists what was deleted.

Records before the horizon were removed already, and their totals stay. An id that was
deleted is free: a record that is reported with it later is stored as new.

Exit codes: 0 done; 1 failure, for example if there is no such project; 2 the database
is damaged; 64 wrong usage, or the name was not repeated.

Examples:
  tokenusage db delete-records --project=demo --filter=labels.customer=acme --dry-run
  tokenusage db delete-records --project=demo --filter=record_id=call-1 --yes)";

constexpr char kListFooter[] = R"(
Prints one line for each deletion by `delete-records` or `delete-project`, the oldest
first: when it began, the project, how many records were deleted, and which, separated
by tabs. Works beside a running service.

Exit codes: 0 done; 1 failure; 2 the database is damaged; 64 wrong usage.)";

constexpr char kRecordIdFilter[] = "record_id=";

struct DeleteFlags {
  std::string store;
  std::string project;
  bool yes = false;

  // For delete-records.
  FilterFlags filter;
  WindowFlags window;
  bool dry_run = false;
};

// Says on stderr that `what` of the project is removed permanently, and reads
// the project's name from stdin, unless the flags confirm it.
//
// Errors: INVALID_ARGUMENT if another name is read.
absl::Status Confirm(const std::string& what, const DeleteFlags& flags) {
  if (flags.yes) return absl::OkStatus();
  PrintError(absl::StrCat("this removes ", what, " of project ", flags.project,
                          " permanently; type the project's name to confirm"));
  std::string line;
  std::getline(std::cin, line);
  if (line == flags.project) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "the name was not repeated: nothing was removed");
}

absl::StatusOr<Removal> RemoveProject(const DeleteFlags& flags) {
  const std::string path(SqlitePathOf(flags.store));
  if (!path.empty()) return DeleteSqliteProject(path, flags.project);
  TOKENUSAGE_ASSIGN_OR_RETURN(const auto store, OpenExistingStore(flags.store));
  return store->maintenance()->DeleteProject(flags.project, CallLimits());
}

absl::Status DeleteProject(const DeleteFlags& flags) {
  TOKENUSAGE_RETURN_IF_ERROR(InFlag("--project", CheckProject(flags.project)));
  TOKENUSAGE_RETURN_IF_ERROR(Confirm("all records and totals", flags));
  const auto removal = RemoveProject(flags);
  TOKENUSAGE_RETURN_IF_ERROR(InProject(flags.project, removal.status()));
  PrintData(absl::StrCat("removed records ", removal->record_count, "\n"));
  return absl::OkStatus();
}

// Takes the filters on record_id out of the flags.
absl::StatusOr<std::set<std::string>> TakeRecordIds(FilterFlags* flags) {
  std::set<std::string> ids;
  std::vector<std::string> others;
  for (const std::string& filter : flags->filters) {
    absl::string_view id = filter;
    if (!absl::ConsumePrefix(&id, kRecordIdFilter)) {
      others.push_back(filter);
      continue;
    }
    TOKENUSAGE_RETURN_IF_ERROR(InFlag("--filter", CheckRecordId(FromAbsl(id))));
    ids.emplace(id);
  }
  flags->filters = std::move(others);
  return ids;
}

// Checks filters and window by the rules of ListUsageRecords.
absl::StatusOr<RecordSelection> SelectionFromFlags(const DeleteFlags& flags) {
  TOKENUSAGE_RETURN_IF_ERROR(InFlag("--project", CheckProject(flags.project)));
  RecordSelection selection;
  FilterFlags filter = flags.filter;
  TOKENUSAGE_ASSIGN_OR_RETURN(selection.record_ids, TakeRecordIds(&filter));
  v1::ListUsageRecordsRequest request;
  request.set_project(flags.project);
  TOKENUSAGE_RETURN_IF_ERROR(ParseFilters(filter, request.mutable_filters()));
  TOKENUSAGE_ASSIGN_OR_RETURN(const ZonedWindow window,
                              ParseWindow(flags.window, absl::Now()));
  SetWindow(window, &request);
  // The request has no page token, which the empty key would have to check.
  TOKENUSAGE_ASSIGN_OR_RETURN(CheckedQuery<RecordQuery> checked,
                              CheckListRequest(request, PageTokens("")));
  if (checked.projects) {
    return absl::InvalidArgumentError(
        "--filter: expected a field of records, found project");
  }
  selection.project = flags.project;
  selection.window = checked.query.window;
  selection.filters = std::move(checked.query.filters);
  if (selection.record_ids.empty() && selection.filters.empty()) {
    return absl::InvalidArgumentError(
        "--filter: expected at least one, found none; `tokenusage db "
        "delete-project` removes all records of a project");
  }
  return selection;
}

absl::StatusOr<Removal> RemoveRecords(const DeleteFlags& flags,
                                      const RecordSelection& selection) {
  const std::string path(SqlitePathOf(flags.store));
  if (!path.empty()) {
    return DeleteSqliteRecords(path, selection, flags.dry_run);
  }
  TOKENUSAGE_ASSIGN_OR_RETURN(const auto store, OpenExistingStore(flags.store));
  return store->maintenance()->DeleteRecords(selection, flags.dry_run,
                                             CallLimits());
}

absl::Status DeleteRecords(const DeleteFlags& flags) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const RecordSelection selection,
                              SelectionFromFlags(flags));
  if (!flags.dry_run) {
    TOKENUSAGE_RETURN_IF_ERROR(
        Confirm(absl::StrCat("the records with ", DescribeSelection(selection)),
                flags));
  }
  const auto removal = RemoveRecords(flags, selection);
  TOKENUSAGE_RETURN_IF_ERROR(InProject(flags.project, removal.status()));
  PrintData(absl::StrCat(flags.dry_run ? "would delete" : "deleted",
                         " records ", removal->record_count, "\n"));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Deletion>> ReadDeletions(const std::string& url) {
  const std::string path(SqlitePathOf(url));
  if (!path.empty()) return SqliteDeletions(path);
  TOKENUSAGE_ASSIGN_OR_RETURN(const auto store, OpenExistingStore(url));
  return store->maintenance()->Deletions();
}

absl::Status PrintDeletions(const std::string& url) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::vector<Deletion> all,
                              ReadDeletions(url));
  for (const Deletion& one : all) {
    PrintData(absl::StrCat(
        absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", one.time, absl::UTCTimeZone()),
        "\t", one.project, "\t", one.record_count, "\t", one.selection, "\n"));
  }
  return absl::OkStatus();
}

CLI::App* AddDeleteCommand(CLI::App* db, const char* name, const char* about,
                           const char* footer, DeleteFlags* flags) {
  CLI::App* command = AddSubcommand(db, name, about, footer);
  AddStoreFlag(command, &flags->store);
  command->add_option("--project", flags->project, "The project")->required();
  return command;
}

void AddYesFlag(CLI::App* command, DeleteFlags* flags) {
  command->add_flag("--yes", flags->yes, "Do not ask for the project's name");
}

}  // namespace

Command AddDbDeleteProjectCommand(CLI::App* db) {
  auto flags = std::make_shared<DeleteFlags>();
  CLI::App* command = AddDeleteCommand(
      db, "delete-project", "Remove a project with its records and totals",
      kProjectFooter, flags.get());
  AddYesFlag(command, flags.get());
  return {command, [flags] { return FinishLocal(DeleteProject(*flags)); }};
}

Command AddDbDeleteRecordsCommand(CLI::App* db) {
  auto flags = std::make_shared<DeleteFlags>();
  CLI::App* command = AddDeleteCommand(
      db, "delete-records", "Delete records of a project by their fields",
      kRecordsFooter, flags.get());
  AddFilterFlags(command, &flags->filter);
  AddWindowFlags(command, &flags->window);
  command->add_flag("--dry-run", flags->dry_run,
                    "Delete nothing, and say how many records it would be");
  AddYesFlag(command, flags.get());
  return {command, [flags] { return FinishLocal(DeleteRecords(*flags)); }};
}

Command AddDbDeletionsCommand(CLI::App* db) {
  auto store = std::make_shared<std::string>();
  CLI::App* command =
      AddSubcommand(db, "deletions",
                    "List the deletions of records and projects", kListFooter);
  AddStoreFlag(command, store.get());
  return {command, [store] { return FinishLocal(PrintDeletions(*store)); }};
}

}  // namespace tokenusage
