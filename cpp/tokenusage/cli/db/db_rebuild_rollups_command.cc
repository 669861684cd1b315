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
Makes all totals from the horizon on anew from the records, in one transaction:
killed, it has done nothing. Totals before the horizon stay as they are, since their
records have gone. No service may have the database open.

Exit codes: 0 done; 1 it could not be done; 2 the database is damaged; 64 wrong usage.)";

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

void AddDbRebuildRollupsCommand(CLI::App* db, int* exit_code) {
  auto store = std::make_shared<std::string>();
  CLI::App* command = db->add_subcommand(
      "rebuild-rollups", "Make a database's totals anew from its records");
  command->footer(kFooter);
  AddStoreFlag(command, store.get());
  SetDbCallback(command, exit_code, [store] { return RebuildRollups(*store); });
}

}  // namespace tokenusage
