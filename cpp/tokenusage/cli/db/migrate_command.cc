// SPDX-License-Identifier: Apache-2.0

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/cli/db/db_commands.h"
#include "tokenusage/cli/open_store.h"
#include "tokenusage/cli/terminal.h"
#include "tokenusage/store/postgres/connection/target.h"
#include "tokenusage/store/postgres/store.h"

namespace tokenusage {
namespace {

constexpr char kFooter[] = R"(
Creates the tables in a PostgreSQL database that has none, which is shown as version 0, or
upgrades those of an older version of this program. It does so in one transaction: if it is
killed, nothing has changed. --distribute=citus also distributes the tables across the nodes
of a Citus cluster, by project.

A SQLite database needs no migration: its tables are created with it.

Exit codes: 0 done, or nothing to do; 1 failure; 64 wrong usage.)";

struct MigrateFlags {
  std::string store;
  std::string distribute;  // empty, or "citus"
};

absl::Status Migrate(const MigrateFlags& flags) {
  if (!IsPostgresUrl(flags.store)) {
    return absl::InvalidArgumentError(
        "--store: expected postgresql://...; a SQLite database needs no "
        "migration");
  }
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const PostgresMigration migration,
      MigratePostgresDatabase(flags.store,
                              /*distribute=*/!flags.distribute.empty()));
  PrintData(absl::StrCat("from version ", migration.from_version,
                         " to version ", migration.to_version, "\n"));
  if (!migration.distributed_tables.empty()) {
    PrintData(absl::StrCat("distributed ",
                           absl::StrJoin(migration.distributed_tables, ", "),
                           "\n"));
  }
  return absl::OkStatus();
}

}  // namespace

Command AddDbMigrateCommand(CLI::App* db) {
  auto flags = std::make_shared<MigrateFlags>();
  CLI::App* command = AddSubcommand(
      db, "migrate", "Create or upgrade the tables of a database", kFooter);
  AddStoreFlag(command, &flags->store);
  command
      ->add_option(
          "--distribute", flags->distribute,
          "Distribute PostgreSQL's tables across the nodes of a cluster")
      ->type_name("citus")
      ->check(CLI::IsMember({"citus"}));
  return {command, [flags] { return FinishLocal(Migrate(*flags)); }};
}

}  // namespace tokenusage
