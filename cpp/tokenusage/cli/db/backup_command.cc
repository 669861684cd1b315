// SPDX-License-Identifier: Apache-2.0

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/cli/db/db_commands.h"
#include "tokenusage/cli/open_store.h"
#include "tokenusage/cli/progress.h"
#include "tokenusage/cli/terminal.h"
#include "tokenusage/store/sqlite/maintenance.h"

namespace tokenusage {
namespace {

constexpr char kFooter[] = R"(
Copies the database as of one moment; a service may keep writing to it meanwhile.
`tokenusage serve` can open the copy. It is written to FILE.new-PID, and renamed to FILE
once it is complete, checked and on disk; only a backup that was killed leaves the
former behind. An existing FILE is not replaced.

Exit codes: 0 done; 1 failure; 2 the database is damaged; 64 wrong usage.)";

struct BackupFlags {
  std::string store;
  std::string file;
};

absl::Status Backup(const BackupFlags& flags) {
  TOKENUSAGE_RETURN_IF_ERROR(CheckStoreUrl(flags.store));
  const std::string path(SqlitePathOf(flags.store));
  if (path.empty()) {
    return absl::InvalidArgumentError(
        "--store: back up PostgreSQL with its own tools, such as pg_dump");
  }
  Progress progress("MiB");
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const SqliteBackup backup,
      BackupSqliteDatabase(
          path, flags.file,
          [&progress](std::int64_t bytes, std::optional<double> fraction) {
            progress.Show(bytes >> 20, fraction);
          }));
  progress.Clear();
  PrintData(
      absl::StrCat("backup ", backup.path, ", bytes ", backup.bytes, "\n"));
  return absl::OkStatus();
}

}  // namespace

Command AddDbBackupCommand(CLI::App* db) {
  auto flags = std::make_shared<BackupFlags>();
  CLI::App* command = AddSubcommand(
      db, "backup", "Back up a database that may be in use", kFooter);
  AddStoreFlag(command, &flags->store);
  command->add_option("FILE", flags->file, "The copy; must not exist")
      ->required();
  return {command, [flags] { return FinishLocal(Backup(*flags)); }};
}

}  // namespace tokenusage
