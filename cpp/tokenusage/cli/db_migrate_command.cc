#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/cli/db_commands.h"
#include "tokenusage/cli/open_store.h"
#include "tokenusage/cli/terminal.h"
#include "tokenusage/store/sqlite_maintenance.h"

namespace tokenusage {
namespace {

constexpr char kFooter[] = R"(
Brings a database that an older version of this program made to the form that this
one knows, in one transaction: killed, it has done nothing. Older programs cannot open
it any more, so make a backup first. No service may have the database open.

Exit codes: 0 done, or there was nothing to do; 1 it could not be done; 2 the database
is damaged; 64 wrong usage.)";

absl::Status Migrate(const std::string& url) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const std::string path,
      RequireSqlitePath(
          url,
          "a PostgreSQL database is brought to this version by the service"));
  TOKENUSAGE_ASSIGN_OR_RETURN(const SqliteMigration migration,
                              MigrateSqliteDatabase(path));
  PrintData(absl::StrCat("from version ", migration.from_version,
                         " to version ", migration.to_version, "\n"));
  return absl::OkStatus();
}

}  // namespace

void AddDbMigrateCommand(CLI::App* db, int* exit_code) {
  auto store = std::make_shared<std::string>();
  CLI::App* command = db->add_subcommand(
      "migrate", "Bring an older database to this program's version");
  command->footer(kFooter);
  AddStoreFlag(command, store.get());
  SetDbCallback(command, exit_code, [store] { return Migrate(*store); });
}

}  // namespace tokenusage
