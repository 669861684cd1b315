// SPDX-License-Identifier: Apache-2.0

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/cli/db/db_commands.h"
#include "tokenusage/cli/terminal.h"

namespace tokenusage {
namespace {

constexpr char kFooter[] = R"(
Rebuilds all rollups at or after the horizon from the records, in one transaction: if
it is killed, nothing has changed. Rollups before the horizon are kept, since their
records were removed. No service may have the database open.

Exit codes: 0 done; 1 failure; 2 the database is damaged; 64 wrong usage.)";

absl::Status RebuildRollups(const std::string& url) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const auto store, OpenExistingStore(url));
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const Rebuild rebuild,
      store->maintenance()->RebuildRollups(CallLimits()));
  PrintData(absl::StrCat("records ", rebuild.record_count, ", rollups ",
                         rebuild.rollup_count, "\n"));
  return absl::OkStatus();
}

}  // namespace

Command AddDbRebuildRollupsCommand(CLI::App* db) {
  auto store = std::make_shared<std::string>();
  CLI::App* command = db->add_subcommand(
      "rebuild-rollups", "Rebuild a database's rollups from its records");
  command->footer(kFooter);
  AddStoreFlag(command, store.get());
  return {command, [store] { return FinishLocal(RebuildRollups(*store)); }};
}

}  // namespace tokenusage
