// SPDX-License-Identifier: Apache-2.0

#include <memory>
#include <string>

#include "absl/time/time.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/cli/db/db_commands.h"
#include "tokenusage/cli/open_store.h"
#include "tokenusage/record/checked_record.h"
#include "tokenusage/service/retention.h"
#include "tokenusage/store/sqlite/maintenance.h"

namespace tokenusage {
namespace {

constexpr char kFooter[] = R"(
Sets how long the records of a project are kept, instead of --retain of `serve`; TIME
is 90d, 36h and so on, or `default`. A running service follows within an hour. Totals
stay, and records that were removed do not return.

Exit codes: 0 done; 1 failure, for example if there is no such project; 2 the database
is damaged; 64 wrong usage.

Examples:
  tokenusage db retain --store=sqlite://usage.db demo 90d
  tokenusage db retain --store=sqlite://usage.db demo default)";

struct RetainFlags {
  std::string store;
  std::string project;
  std::string time;
};

absl::Status SetRetention(const std::string& url, const std::string& project,
                          absl::Duration retain) {
  const std::string path(SqlitePathOf(url));
  if (!path.empty()) return SetSqliteRetention(path, project, retain);
  TOKENUSAGE_ASSIGN_OR_RETURN(const auto store, OpenExistingStore(url));
  return store->maintenance()->SetRetention(project, retain);
}

absl::Status Retain(const RetainFlags& flags) {
  TOKENUSAGE_RETURN_IF_ERROR(CheckProject(flags.project));
  absl::Duration retain;  // 0 stands for `default`
  if (flags.time != "default") {
    const auto parsed = ParseRetention(flags.time);
    TOKENUSAGE_RETURN_IF_ERROR(InFlag("TIME", parsed.status()));
    retain = *parsed;
  }
  return InProject(flags.project,
                   SetRetention(flags.store, flags.project, retain));
}

}  // namespace

Command AddDbRetainCommand(CLI::App* db) {
  auto flags = std::make_shared<RetainFlags>();
  CLI::App* command = AddSubcommand(
      db, "retain", "Set how long a project's records are kept", kFooter);
  AddStoreFlag(command, &flags->store);
  command->add_option("PROJECT", flags->project, "The project")->required();
  command->add_option("TIME", flags->time, "90d, 36h, or default")->required();
  return {command, [flags] { return FinishLocal(Retain(*flags)); }};
}

}  // namespace tokenusage
