// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/rollup/check_report.h"

#include <algorithm>

#include "tokenusage/store/query/label_set.h"
#include "tokenusage/v1/usage_reporting_service.pb.h"

namespace tokenusage {
namespace {

// Calls `differ(field, expected, found)` for each field of UsageTotals in which
// the sums differ. "none" stands for a measure that no record states.
template <typename Differ>
void CompareSums(const UsageSum& expected, const UsageSum& found,
                 const Differ& differ) {
  const auto compare = [&](const std::string& field, const std::string& right,
                           const std::string& wrong) {
    if (right != wrong) differ(field, right, wrong);
  };
  const auto compare_counts = [&](const std::string& field, std::int64_t right,
                                  std::int64_t wrong) {
    compare(field, std::to_string(right), std::to_string(wrong));
  };
  compare_counts("record_count", expected.record_count, found.record_count);
  compare_counts("inconsistent_record_count",
                 expected.inconsistent_record_count,
                 found.inconsistent_record_count);
  compare_counts("unknown_usage_record_count",
                 expected.unknown_usage_record_count,
                 found.unknown_usage_record_count);
  for (int number = 1; number <= kMaxUsageMeasure; ++number) {
    const auto measure = static_cast<v1::UsageMeasure>(number);
    const MeasureSum* const right = expected.Find(measure);
    const MeasureSum* const wrong = found.Find(measure);
    if (right == nullptr && wrong == nullptr) continue;
    const std::string name(
        v1::UsageTotals::descriptor()->FindFieldByNumber(number)->name());
    compare(name, right == nullptr ? "none" : right->amount.ToDecimal(),
            wrong == nullptr ? "none" : wrong->amount.ToDecimal());
    if (right == nullptr || wrong == nullptr) continue;
    compare_counts(name + ".record_count", right->record_count,
                   wrong->record_count);
  }
}

}  // namespace

void CheckReportBuilder::AddRecord() {
  if (++report_.record_count % 1000 != 0 || !options_->on_progress) return;
  std::optional<double> fraction;
  if (total_.has_value()) {
    fraction = std::min(1.0, static_cast<double>(report_.record_count) /
                                 static_cast<double>(*total_));
  }
  options_->on_progress(report_.record_count, fraction);
}

void CheckReportBuilder::CompareRollups(const std::string& project,
                                        const Rollups& expected,
                                        const Rollups& found) {
  for (const auto& [key, sum] : found) {
    const auto other = expected.find(key);
    CompareRollup(project, key,
                  other == expected.end() ? nullptr : &other->second, &sum);
  }
  for (const auto& [key, sum] : expected) {
    if (found.count(key) == 0) CompareRollup(project, key, &sum, nullptr);
  }
}

void CheckReportBuilder::CompareRollup(const std::string& project,
                                       const RollupKey& key,
                                       const UsageSum* expected,
                                       const UsageSum* found) {
  const auto add = [&](const std::string& field, const std::string& right,
                       const std::string& wrong) {
    CheckProblem problem;
    problem.kind = CheckProblem::Kind::kRollup;
    problem.project = project;
    problem.operation = key.series.operation;
    problem.provider = key.series.provider;
    problem.model = key.series.model;
    problem.labels = DescribeLabelSet(key.series.labels);
    problem.cell = {key.start_seconds * kNanosPerSecond,
                    CellEnd(key) * kNanosPerSecond};
    problem.field = field;
    problem.expected = right;
    problem.found = wrong;
    Add(std::move(problem));
  };
  if (expected == nullptr) {
    add("record_count", "none", std::to_string(found->record_count));
  } else if (found == nullptr) {
    add("record_count", std::to_string(expected->record_count), "none");
  } else {
    CompareSums(*expected, *found, add);
  }
}

void CheckReportBuilder::AddProblem(CheckProblem::Kind kind,
                                    const std::string& project,
                                    std::string_view detail) {
  CheckProblem problem;
  problem.kind = kind;
  problem.project = project;
  problem.detail = std::string(detail);
  Add(std::move(problem));
}

void CheckReportBuilder::Add(CheckProblem problem) {
  ++report_.problem_count;
  if (static_cast<int>(report_.problems.size()) < options_->max_problems) {
    report_.problems.push_back(std::move(problem));
  }
}

}  // namespace tokenusage
