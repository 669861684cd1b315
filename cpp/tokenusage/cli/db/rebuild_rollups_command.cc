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

With --labels it changes the labels that rollups are kept by. Totals by label then start
at the horizon: what was removed before cannot be counted by label. If there are totals by
the old labels from before a horizon, which would be lost, it refuses.

Exit codes: 0 done; 1 failure; 2 the database is damaged; 64 wrong usage.

Example:
  tokenusage db rebuild-rollups --store=sqlite://usage.db --labels=customer,team)";

struct RebuildFlags {
  std::string store;
  std::string labels;
  CLI::Option* labels_option = nullptr;  // an empty value means none
};

absl::Status RebuildRollups(const RebuildFlags& flags) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const auto store, OpenExistingStore(flags.store));
  StoreMaintenance& maintenance = *store->maintenance();
  Rebuild rebuild;
  if (flags.labels_option->count() == 0) {
    TOKENUSAGE_ASSIGN_OR_RETURN(rebuild,
                                maintenance.RebuildRollups(CallLimits()));
  } else {
    const auto labels = ParseRollupLabels(flags.labels);
    TOKENUSAGE_RETURN_IF_ERROR(InFlag("--labels", labels.status()));
    TOKENUSAGE_ASSIGN_OR_RETURN(
        rebuild, maintenance.SetRollupLabels(*labels, CallLimits()));
  }
  PrintData(absl::StrCat("records ", rebuild.record_count, ", rollups ",
                         rebuild.rollup_count, "\n"));
  return absl::OkStatus();
}

}  // namespace

Command AddDbRebuildRollupsCommand(CLI::App* db) {
  auto flags = std::make_shared<RebuildFlags>();
  CLI::App* command =
      AddSubcommand(db, "rebuild-rollups",
                    "Rebuild a database's rollups from its records", kFooter);
  AddStoreFlag(command, &flags->store);
  flags->labels_option =
      command
          ->add_option("--labels", flags->labels,
                       "Keep rollups by these labels from now on, such as "
                       "customer,team; empty for none")
          ->type_name("KEYS");
  return {command, [flags] { return FinishLocal(RebuildRollups(*flags)); }};
}

}  // namespace tokenusage
