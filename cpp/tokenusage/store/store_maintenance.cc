// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/store_maintenance.h"

#include "absl/strings/str_cat.h"

namespace tokenusage {
namespace {

std::string TimeText(std::int64_t nanos) {
  return absl::FormatTime("%Y-%m-%dT%H:%MZ", absl::FromUnixNanos(nanos),
                          absl::UTCTimeZone());
}

}  // namespace

std::string DescribeProblem(const CheckProblem& problem) {
  const std::string project =
      problem.project.empty() ? ""
                              : absl::StrCat("project ", problem.project, ": ");
  switch (problem.kind) {
    case CheckProblem::Kind::kStorage:
      return absl::StrCat(project, "storage: ", problem.detail);
    case CheckProblem::Kind::kRecord:
      return absl::StrCat(project, "record: ", problem.detail);
    case CheckProblem::Kind::kRollup:
      break;
  }
  return absl::StrCat(
      project, "rollup: operation \"", problem.operation, "\", provider \"",
      problem.provider, "\", model \"", problem.model, "\", ",
      problem.labels.empty() ? ""
                             : absl::StrCat("labels ", problem.labels, ", "),
      TimeText(problem.cell.start_nanos), " to ",
      TimeText(problem.cell.end_nanos), ", ", problem.field, ": expected ",
      problem.expected, ", found ", problem.found);
}

}  // namespace tokenusage
