// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/rollup/check_report.h"

#include <cstddef>
#include <optional>

namespace tokenusage {
namespace {

std::string TextOf(const std::optional<TokenAmount>& amount) {
  return amount ? amount->ToDecimal() : "none";
}

std::string CountText(const UsageSum* sum) {
  return sum == nullptr ? "none" : std::to_string(sum->record_count);
}

}  // namespace

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
  const auto add = [&](const char* measure, std::string right,
                       std::string wrong) {
    if (right == wrong) return;
    CheckProblem problem;
    problem.kind = CheckProblem::Kind::kRollup;
    problem.project = project;
    problem.operation = key.series.operation;
    problem.provider = key.series.provider;
    problem.model = key.series.model;
    problem.cell = {key.start_seconds * kNanosPerSecond,
                    (key.start_seconds + key.cell_seconds) * kNanosPerSecond};
    problem.measure = measure;
    problem.expected = std::move(right);
    problem.found = std::move(wrong);
    Add(std::move(problem));
  };
  add("record_count", CountText(expected), CountText(found));
  if (expected == nullptr || found == nullptr) return;
  for (std::size_t i = 0; i < kTokenMeasureCount; ++i) {
    const TokenMeasure measure = kTokenMeasures[i];
    if (expected->counts[measure] == found->counts[measure]) continue;
    add(kTokenMeasureNames[i], TextOf(expected->counts[measure]),
        TextOf(found->counts[measure]));
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
  if (static_cast<int>(report_.problems.size()) < max_problems_) {
    report_.problems.push_back(std::move(problem));
  }
}

}  // namespace tokenusage
