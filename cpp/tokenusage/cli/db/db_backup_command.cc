// SPDX-License-Identifier: Apache-2.0

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/cli/db/db_commands.h"
#include "tokenusage/cli/open_store.h"
#include "tokenusage/cli/terminal.h"
#include "tokenusage/store/sqlite/maintenance.h"

namespace tokenusage {
namespace {

constexpr char kFooter[] = R"(
Copies the database as it is at one moment, while a service may go on writing to it.
The copy is a database like the original: `tokenusage serve` can open it. It gets its
name once it is complete, checked and on disk; until then it is FILE.new-PID, which
only a backup that was killed leaves behind. A FILE that is there is not replaced.

Exit codes: 0 done; 1 it could not be done; 2 the database is damaged; 64 wrong usage.)";

struct BackupFlags {
  std::string store;
  std::string file;
};

absl::Status Backup(const BackupFlags& flags) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const std::string path,
      RequireSqlitePath(
          flags.store, "PostgreSQL has its own means for backups, as pg_dump"));
  TOKENUSAGE_ASSIGN_OR_RETURN(const SqliteBackup backup,
                              BackupSqliteDatabase(path, flags.file));
  PrintData(
      absl::StrCat("backup ", backup.path, ", bytes ", backup.bytes, "\n"));
  return absl::OkStatus();
}

}  // namespace

void AddDbBackupCommand(CLI::App* db, int* exit_code) {
  auto flags = std::make_shared<BackupFlags>();
  CLI::App* command =
      db->add_subcommand("backup", "Copy a database that may be in use");
  command->footer(kFooter);
  AddStoreFlag(command, &flags->store);
  command->add_option("FILE", flags->file, "The copy; must not be there yet")
      ->required();
  SetDbCallback(command, exit_code, [flags] { return Backup(*flags); });
}

}  // namespace tokenusage
