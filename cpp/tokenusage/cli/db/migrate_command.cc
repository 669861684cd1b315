// SPDX-License-Identifier: Apache-2.0

#include <cstdint>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/cli/db/db_commands.h"
#include "tokenusage/cli/open_store.h"
#include "tokenusage/cli/terminal.h"
#include "tokenusage/store/postgres/store.h"
#include "tokenusage/store/postgres/target.h"
#include "tokenusage/store/sqlite/maintenance.h"

namespace tokenusage {
namespace {

constexpr char kFooter[] = R"(
Brings the database of an older version of this program to this version's schema, in
one transaction: if it is killed, nothing has changed. Older versions can no longer open
it, so make a backup first. No service may have the database open.

On PostgreSQL it also creates the tables, from version 0; --distribute=citus distributes
them over the nodes of a Citus cluster, by project.

Exit codes: 0 done, or nothing to do; 1 failure; 2 the database is damaged; 64 wrong
usage.)";

struct MigrateFlags {
  std::string store;
  std::string distribute;  // empty, or "citus"
};

void PrintVersions(std::int64_t from, std::int64_t to) {
  PrintData(absl::StrCat("from version ", from, " to version ", to, "\n"));
}

absl::Status MigrateSqlite(const std::string& path, bool distribute) {
  if (distribute) {
    return absl::InvalidArgumentError(
        "--distribute: a SQLite database is one file");
  }
  TOKENUSAGE_ASSIGN_OR_RETURN(const SqliteMigration migration,
                              MigrateSqliteDatabase(path));
  PrintVersions(migration.from_version, migration.to_version);
  return absl::OkStatus();
}

absl::Status Migrate(const MigrateFlags& flags) {
  if (!IsPostgresUrl(flags.store)) {
    TOKENUSAGE_ASSIGN_OR_RETURN(const std::string path,
                                RequireSqlitePath(flags.store, ""));
    return MigrateSqlite(path, !flags.distribute.empty());
  }
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const PostgresMigration migration,
      MigratePostgresDatabase(flags.store, !flags.distribute.empty()));
  PrintVersions(migration.from_version, migration.to_version);
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
  CLI::App* command = db->add_subcommand(
      "migrate", "Bring a database to this program's version");
  command->footer(kFooter);
  AddStoreFlag(command, &flags->store);
  command
      ->add_option("--distribute", flags->distribute,
                   "Distribute PostgreSQL's tables over the nodes of a cluster")
      ->type_name("citus")
      ->check(CLI::IsMember({"citus"}));
  return {command, [flags] { return FinishLocal(Migrate(*flags)); }};
}

}  // namespace tokenusage
