// SPDX-License-Identifier: Apache-2.0

#include "tests/benchmark/load/scenario_parts.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "absl/time/time.h"

namespace tokenusage::load {

double Quantile(std::vector<double> values, double quantile) {
  std::sort(values.begin(), values.end());
  const auto last = static_cast<double>(values.size() - 1);
  return values[static_cast<std::size_t>(std::ceil(quantile * last))];
}

double Median(const std::vector<double>& values) {
  return Quantile(values, 0.5);
}

void PrintRatio(const std::string& what, const std::string& unit,
                const std::vector<double>& ours,
                const std::vector<double>& theirs) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    ratios.push_back(ours[i] / theirs[i]);
  }
  std::printf("%-34s %10.1f %10.1f %-22s ratio %.2f (%.2f to %.2f)\n",
              what.c_str(), Median(ours), Median(theirs), unit.c_str(),
              Median(ratios), Quantile(ratios, 0), Quantile(ratios, 1));
  std::fflush(stdout);
}

CallPlan Plan(int callers, double seconds) {
  CallPlan plan;
  plan.callers = callers;
  plan.time = absl::Seconds(seconds);
  return plan;
}

void RequireAllOk(const CallCounts& counts) {
  if (counts.busy + counts.failed == 0) return;
  std::printf("  %lld calls were refused and %lld failed\n",
              static_cast<long long>(counts.busy),
              static_cast<long long>(counts.failed));
}

std::uint64_t NextSeed() {
  static std::uint64_t seed = 0;
  return ++seed;
}

Requests NowRequests(Ids ids, Usage usage, int records, int batches) {
  return Requests(ids, Times::kNow, RecordSource(ids, usage, NextSeed()),
                  records, batches, kProject);
}

double BatchRate(int port, Usage usage, double seconds) {
  Requests requests = NowRequests(Ids::kOrdered, usage, kBatch, 64);
  const CallCounts counts =
      RunCalls(port, Plan(8, seconds), [&requests] { return requests.Next(); });
  RequireAllOk(counts);
  return static_cast<double>(counts.ok) * kBatch / counts.seconds;
}

double Sustainable(const ScenarioOptions& options) {
  if (options.sustainable > 0) return options.sustainable;
  const ServerProcess server("sqlite", options.folder + "/sustainable.db");
  const double rate = BatchRate(server.port(), options.usage, 5);
  std::printf("sustainable: %.0f records/s\n", rate);
  return rate;
}

std::int64_t MonthStart() {
  return absl::ToUnixSeconds(
      absl::FromCivil(absl::CivilSecond(2026, 7, 1), absl::UTCTimeZone()));
}

void PrintMemory(const ServerProcess& server, double at) {
  std::printf("  %6.0f s: %.1f MiB, at most %.1f MiB\n", at,
              static_cast<double>(server.ResidentKilobytes()) / 1024,
              static_cast<double>(server.PeakResidentKilobytes()) / 1024);
  std::fflush(stdout);
}

}  // namespace tokenusage::load
