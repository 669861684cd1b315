// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/rollup_options.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "tokenusage/base/excerpt.h"
#include "tokenusage/base/string_view.h"
#include "tokenusage/record/record_rules.h"

namespace tokenusage {
namespace {

std::string TextOrNone(const RollupLabels& labels) {
  return labels.empty() ? "none" : RollupLabelsText(labels);
}

}  // namespace

absl::StatusOr<RollupLabels> ParseRollupLabels(std::string_view text) {
  RollupLabels labels;
  if (text.empty()) return labels;
  for (const absl::string_view key : absl::StrSplit(ToAbsl(text), ',')) {
    if (!IsLabelKey(FromAbsl(key))) {
      return absl::InvalidArgumentError(
          absl::StrCat("expected label keys separated by commas, found \"",
                       Excerpt(FromAbsl(key)), "\""));
    }
    labels.emplace_back(key);
  }
  std::sort(labels.begin(), labels.end());
  const auto repeated = std::adjacent_find(labels.begin(), labels.end());
  if (repeated != labels.end()) {
    return absl::InvalidArgumentError(
        absl::StrCat("label \"", *repeated, "\" is given twice"));
  }
  if (labels.size() <= kMaxRollupLabels) return labels;
  return absl::InvalidArgumentError(absl::StrCat(
      "expected at most ", kMaxRollupLabels, " labels, found ", labels.size()));
}

std::string RollupLabelsText(const RollupLabels& labels) {
  return absl::StrJoin(labels, ",");
}

absl::Status CheckRollupLabels(std::string_view database,
                               const RollupLabels& found,
                               const std::optional<RollupLabels>& wanted) {
  if (!wanted || *wanted == found) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "database ", ToAbsl(database), " keeps rollups by these labels: ",
      TextOrNone(found), "; to change that to ", TextOrNone(*wanted),
      ", stop the service and run `tokenusage db rebuild-rollups --labels",
      wanted->empty() ? " ''" : "=" + RollupLabelsText(*wanted), "`"));
}

absl::Status LabelHistoryError(std::string_view project,
                               const RollupLabels& labels) {
  return absl::FailedPreconditionError(absl::StrCat(
      "project ", ToAbsl(project), " has totals by ", RollupLabelsText(labels),
      " from before its horizon, which would be lost: their records were "
      "removed"));
}

}  // namespace tokenusage
