// SPDX-License-Identifier: Apache-2.0

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/cli/db/db_commands.h"
#include "tokenusage/cli/open_store.h"
#include "tokenusage/cli/progress.h"
#include "tokenusage/cli/terminal.h"
#include "tokenusage/store/copy/copy_store.h"
#include "tokenusage/store/postgres/connection/target.h"

namespace tokenusage {
namespace {

constexpr char kFooter[] = R"(
Copies every record of a SQLite database to a PostgreSQL database, whose tables
`tokenusage db migrate` has created, then compares every rollup. If it is interrupted, run
it again: it continues where it stopped. A service may use the source meanwhile: copy
most records, stop that service, run this again for the rest, and start a service on
the destination.

Exit codes: 0 copied, all rollups are equal; 1 failure; 2 a rollup differs, or the
source is damaged; 64 wrong usage.

Example:
  tokenusage db copy --from=sqlite://usage.db --to=postgresql://usage@db.example/usage)";

struct CopyFlags {
  std::string from;
  std::string to;
};

absl::Status Copy(const CopyFlags& flags) {
  const std::string path(SqlitePathOf(flags.from));
  if (path.empty()) {
    return absl::InvalidArgumentError("--from: expected sqlite://PATH");
  }
  if (!IsPostgresUrl(flags.to)) {
    return absl::InvalidArgumentError("--to: expected postgresql://...");
  }
  Progress progress("records");
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const CopyReport report,
      CopySqliteToPostgres(
          path, flags.to, [&progress](const CopyProgress& now) {
            progress.Show(now.copied, static_cast<double>(now.copied) /
                                          static_cast<double>(now.total));
          }));
  progress.Clear();
  PrintData(absl::StrCat(report.copied, " records copied, ",
                         report.already_there, " of them existed already; ",
                         report.compared_rollups, " rollups are equal\n"));
  return absl::OkStatus();
}

}  // namespace

Command AddDbCopyCommand(CLI::App* db) {
  auto flags = std::make_shared<CopyFlags>();
  CLI::App* command = AddSubcommand(
      db, "copy", "Copy a database from SQLite to PostgreSQL", kFooter);
  command->add_option("--from", flags->from, "The source: sqlite://PATH")
      ->type_name("URL")
      ->required();
  command
      ->add_option("--to", flags->to,
                   "The destination: postgresql://USER@HOST/DATABASE")
      ->type_name("URL")
      ->envname("TOKENUSAGE_STORE")
      ->required();
  return {command, [flags] { return FinishLocal(Copy(*flags)); }};
}

}  // namespace tokenusage
