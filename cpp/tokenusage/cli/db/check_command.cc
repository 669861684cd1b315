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
Checks that the file is intact and that every rollup, by quarter hour and by hour, is
the sum of its records. Before the horizon, where records were removed, it checks that
each hour is the sum of its quarter hours. Changes nothing. While a service is running,
it checks the state of one moment.

Prints one line per problem, then the numbers of records, rollups and problems.

Exit codes: 0 no problems; 1 failure; 2 problems; 64 wrong usage. If the records are
sound and only rollups are wrong, `tokenusage db rebuild-rollups` repairs them; else
restore a backup.)";

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
  Progress progress("records");
  options.on_progress = [&progress](std::int64_t records,
                                    std::optional<double> fraction) {
    progress.Show(records, fraction);
  };
  TOKENUSAGE_ASSIGN_OR_RETURN(const CheckReport report,
                              CheckStore(flags.store, options));
  progress.Clear();
  for (const CheckProblem& problem : report.problems) {
    PrintData(DescribeProblem(problem) + "\n");
  }
  PrintData(absl::StrCat("records ", report.record_count, ", rollups ",
                         report.rollup_count, ", problems ",
                         report.problem_count, "\n"));
  if (report.left_over_count > 0) {
    PrintError(absl::StrCat(report.left_over_count,
                            " records are left of an interrupted removal; no "
                            "query counts them, and the next removal removes "
                            "them"));
  }
  if (report.problem_count == 0) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(MaskStoreUrl(flags.store),
                                          ": problems ", report.problem_count));
}

}  // namespace

Command AddDbCheckCommand(CLI::App* db) {
  auto flags = std::make_shared<CheckFlags>();
  CLI::App* command = AddSubcommand(
      db, "check", "Compare a database's rollups with its records", kFooter);
  AddStoreFlag(command, &flags->store);
  command
      ->add_option("--max-problems", flags->max_problems,
                   "How many problems to print; all are counted")
      ->check(CLI::Range(0, 1'000'000))
      ->capture_default_str();
  return {command, [flags] { return FinishLocal(Check(*flags)); }};
}

}  // namespace tokenusage
