// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/rollup/correction_check.h"

#include "absl/strings/str_cat.h"

namespace tokenusage {

void CorrectionCheck::Add(const v1::UsageRecord& record) {
  if (!record.corrects().empty()) {
    Count({record.corrects(), record.record_id()}, 1);
  }
  if (!record.corrected_by().empty()) {
    Count({record.record_id(), record.corrected_by()}, -1);
  }
}

void CorrectionCheck::Count(Pair pair, int by) {
  const auto found = unmatched_.try_emplace(std::move(pair)).first;
  found->second += by;
  if (found->second == 0) unmatched_.erase(found);
}

void CorrectionCheck::AddProblems(const std::string& project,
                                  CheckReportBuilder* report) const {
  for (const auto& [pair, count] : unmatched_) {
    const auto& [corrected, correction] = pair;
    report->AddRecordProblem(
        project,
        count > 0
            ? absl::StrCat("record ", correction, ": it corrects ", corrected,
                           ", which is not marked as corrected by it")
            : absl::StrCat("record ", corrected,
                           ": it is marked as corrected by ", correction,
                           ", which does not correct it"));
  }
}

}  // namespace tokenusage
