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
Looks whether the file is whole, and whether every total that is kept per quarter of
an hour and per hour is the sum of its records, from the horizon on; before it, where
the records have gone, whether the hours are the sums of their quarters. Changes
nothing. Beside a running service it looks at one moment.

Prints one line per problem, and what it has looked at.

Exit codes: 0 all is well; 1 it could not look; 2 there are problems; 64 wrong usage.
Wrong totals over sound records are mended by `tokenusage db rebuild-rollups`; for
all else, restore a backup.)";

struct CheckFlags {
  std::string store;
  int max_problems = 100;
};

absl::StatusOr<CheckReport> CheckStore(const std::string& url,
                                       const CheckOptions& options) {
  const std::string path(SqlitePathOf(url));
  if (!path.empty()) return CheckSqliteDatabase(path, options);
  TOKENUSAGE_ASSIGN_OR_RETURN(const auto store, OpenExistingStore(url));
  return store->maintenance()->Check(options);
}

absl::Status Check(const CheckFlags& flags) {
  CheckOptions options;
  options.max_problems = flags.max_problems;
  TOKENUSAGE_ASSIGN_OR_RETURN(const CheckReport report,
                              CheckStore(flags.store, options));
  for (const CheckProblem& problem : report.problems) {
    PrintData(DescribeProblem(problem) + "\n");
  }
  PrintData(absl::StrCat("records ", report.record_count, ", rollups ",
                         report.rollup_count, ", problems ",
                         report.problem_count, "\n"));
  if (report.left_over_count > 0) {
    PrintError(absl::StrCat(report.left_over_count,
                            " records are left of a removal that was cut "
                            "short: nothing sees them, and the next one takes "
                            "them"));
  }
  if (report.problem_count == 0) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(MaskStoreUrl(flags.store),
                                          ": problems ", report.problem_count));
}

}  // namespace

void AddDbCheckCommand(CLI::App* db, int* exit_code) {
  auto flags = std::make_shared<CheckFlags>();
  CLI::App* command = db->add_subcommand(
      "check", "Compare a database's totals with its records");
  command->footer(kFooter);
  AddStoreFlag(command, &flags->store);
  command
      ->add_option("--max-problems", flags->max_problems,
                   "How many problems to print; all are counted")
      ->check(CLI::Range(0, 1'000'000))
      ->capture_default_str();
  SetDbCallback(command, exit_code, [flags] { return Check(*flags); });
}

}  // namespace tokenusage
