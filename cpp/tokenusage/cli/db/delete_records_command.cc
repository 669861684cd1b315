// SPDX-License-Identifier: Apache-2.0

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

constexpr char kFooter[] = R"(
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

constexpr char kRecordIdFilter[] = "record_id=";

struct DeleteFlags {
  std::string store;
  std::string project;
  FilterFlags filter;
  WindowFlags window;
  bool dry_run = false;
  bool yes = false;
};

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

absl::StatusOr<Removal> Delete(const std::string& url,
                               const RecordSelection& selection, bool dry_run) {
  const std::string path(SqlitePathOf(url));
  if (!path.empty()) return DeleteSqliteRecords(path, selection, dry_run);
  TOKENUSAGE_ASSIGN_OR_RETURN(const auto store, OpenExistingStore(url));
  return store->maintenance()->DeleteRecords(selection, dry_run, CallLimits());
}

absl::Status DeleteRecords(const DeleteFlags& flags,
                           const RecordSelection& selection) {
  if (!flags.dry_run && !flags.yes) {
    TOKENUSAGE_RETURN_IF_ERROR(ConfirmRemoval(
        absl::StrCat("the records with ", DescribeSelection(selection),
                     " of project ", flags.project),
        flags.project));
  }
  const auto removal = Delete(flags.store, selection, flags.dry_run);
  TOKENUSAGE_RETURN_IF_ERROR(InProject(flags.project, removal.status()));
  PrintData(absl::StrCat(flags.dry_run ? "would delete" : "deleted",
                         " records ", removal->record_count, "\n"));
  return absl::OkStatus();
}

}  // namespace

Command AddDbDeleteRecordsCommand(CLI::App* db) {
  auto flags = std::make_shared<DeleteFlags>();
  CLI::App* command = db->add_subcommand(
      "delete-records", "Delete records of a project by their fields");
  command->footer(kFooter);
  AddStoreFlag(command, &flags->store);
  command->add_option("--project", flags->project, "The project")->required();
  AddFilterFlags(command, &flags->filter);
  AddWindowFlags(command, &flags->window);
  command->add_flag("--dry-run", flags->dry_run,
                    "Delete nothing, and say how many records it would be");
  command->add_flag("--yes", flags->yes, "Do not ask for the project's name");
  return {command, [flags] {
            const auto selection = SelectionFromFlags(*flags);
            if (!selection.ok()) return FinishLocal(selection.status());
            return FinishLocal(DeleteRecords(*flags, *selection));
          }};
}

}  // namespace tokenusage
