// SPDX-License-Identifier: Apache-2.0

// Collects what a check finds: see StoreMaintenance::Check.
//
//   CheckReportBuilder report(options);
//   report.CompareRollups(project, expected, found);
//   return report.Finish();

#ifndef TOKENUSAGE_STORE_ROLLUP_CHECK_REPORT_H_
#define TOKENUSAGE_STORE_ROLLUP_CHECK_REPORT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "tokenusage/store/rollup/rollup.h"
#include "tokenusage/store/store_maintenance.h"

namespace tokenusage {

// Not thread-safe.
class CheckReportBuilder {
 public:
  // `options` must outlive it.
  explicit CheckReportBuilder(const CheckOptions& options)
      : options_(&options) {}

  // Sets the approximate number of records, if it is known.
  void SetTotal(std::int64_t total) { total_ = total; }

  void AddStorageProblem(const std::string& project, std::string_view detail) {
    AddProblem(CheckProblem::Kind::kStorage, project, detail);
  }
  void AddRecordProblem(const std::string& project, std::string_view detail) {
    AddProblem(CheckProblem::Kind::kRecord, project, detail);
  }

  // Adds a problem for each field in which a rollup differs.
  void CompareRollups(const std::string& project, const Rollups& expected,
                      const Rollups& found);

  // Counts a record that was checked, and reports progress.
  void AddRecord();
  void AddRollups(std::size_t count) {
    report_.rollup_count += static_cast<std::int64_t>(count);
  }
  void AddLeftOver(std::int64_t count) { report_.left_over_count += count; }

  // Returns the report. Call once, last.
  CheckReport Finish() { return std::move(report_); }

 private:
  void AddProblem(CheckProblem::Kind kind, const std::string& project,
                  std::string_view detail);
  void CompareRollup(const std::string& project, const RollupKey& key,
                     const UsageSum* expected, const UsageSum* found);
  void Add(CheckProblem problem);

  const CheckOptions* options_;  // a pointer, as builders are assigned
  std::optional<std::int64_t> total_;
  CheckReport report_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_ROLLUP_CHECK_REPORT_H_
