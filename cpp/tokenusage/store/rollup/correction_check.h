// SPDX-License-Identifier: Apache-2.0

// Checks that each correction of a project is marked in the record that it
// corrects, in corrected_by, and that each such mark has its correction.
//
//   CorrectionCheck check;
//   for (...) check.Add(record);
//   check.AddProblems(project, &report);

#ifndef TOKENUSAGE_STORE_ROLLUP_CORRECTION_CHECK_H_
#define TOKENUSAGE_STORE_ROLLUP_CORRECTION_CHECK_H_

#include <map>
#include <string>
#include <utility>

#include "tokenusage/store/rollup/check_report.h"
#include "tokenusage/v1/usage_record.pb.h"

namespace tokenusage {

// For a project of which nothing was removed or deleted, since that may take
// one record of a pair and leave the other. Not thread-safe.
class CorrectionCheck {
 public:
  // Adds a record, with `corrected_by` set if it is marked.
  void Add(const v1::UsageRecord& record);

  // Adds a problem for each correction whose record is not marked, and each
  // mark whose correction is missing. Call after all records were added.
  void AddProblems(const std::string& project,
                   CheckReportBuilder* report) const;

 private:
  // A corrected record and its correction.
  using Pair = std::pair<std::string, std::string>;
  void Count(Pair pair, int by);

  // The number of corrections without marks; negative for marks without
  // corrections. Holds only the pairs that do not match.
  std::map<Pair, int> unmatched_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_ROLLUP_CORRECTION_CHECK_H_
