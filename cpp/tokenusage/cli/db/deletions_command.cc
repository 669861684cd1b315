// SPDX-License-Identifier: Apache-2.0

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/cli/db/db_commands.h"
#include "tokenusage/cli/open_store.h"
#include "tokenusage/cli/terminal.h"
#include "tokenusage/store/sqlite/maintenance.h"

namespace tokenusage {
namespace {

constexpr char kFooter[] = R"(
Prints one line for each deletion by `delete-records` or `delete-project`, the oldest
first: when it began, the project, how many records were deleted, and which, separated
by tabs. Works beside a running service.

Exit codes: 0 done; 1 failure; 2 the database is damaged; 64 wrong usage.)";

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

}  // namespace

Command AddDbDeletionsCommand(CLI::App* db) {
  auto store = std::make_shared<std::string>();
  CLI::App* command = db->add_subcommand(
      "deletions", "List the deletions of records and projects");
  command->footer(kFooter);
  AddStoreFlag(command, store.get());
  return {command, [store] { return FinishLocal(PrintDeletions(*store)); }};
}

}  // namespace tokenusage
