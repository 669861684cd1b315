// SPDX-License-Identifier: Apache-2.0

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tests/benchmark/load/client.h"
#include "tests/benchmark/load/records.h"
#include "tests/benchmark/load/scenario_parts.h"
#include "tests/benchmark/load/scenarios.h"
#include "tests/benchmark/load/server_process.h"
#include "tests/benchmark/load/yardsticks.h"
#include "tokenusage/v1/usage_reporting_service.grpc.pb.h"

namespace tokenusage::load {
namespace {

// Queries a month by day, repeatedly. Returns the time of each query in
// seconds.
std::vector<double> RunQueries(int port, double seconds, double pause) {
  const auto stub = v1::UsageReportingService::NewStub(Connect(port));
  v1::QueryUsageRequest request;
  request.set_project(kProject);
  request.mutable_start_time()->set_seconds(MonthStart());
  request.mutable_end_time()->set_seconds(MonthStart() + kMonthSeconds);
  request.set_bucket(v1::TIME_BUCKET_DAY);
  std::vector<double> times;
  const absl::Time stop = absl::Now() + absl::Seconds(seconds);
  while (absl::Now() < stop) {
    const absl::Time begin = absl::Now();
    grpc::ClientContext context;
    v1::QueryUsageResponse response;
    const grpc::Status status = stub->QueryUsage(&context, request, &response);
    if (!status.ok() || response.rows_size() != 31) {
      std::printf("  a query failed: %s\n", status.error_message().c_str());
      return {1e9};
    }
    times.push_back(absl::ToDoubleSeconds(absl::Now() - begin));
    std::this_thread::sleep_for(std::chrono::duration<double>(pause));
  }
  return times;
}

// Runs `work` while `rate` records per second are reported.
void UnderLoad(int port, Usage usage, double rate, double seconds,
               const std::function<void()>& work) {
  Requests requests = NowRequests(Ids::kOrdered, usage, kBatch, 64);
  CallPlan plan = Plan(16, seconds + 2);
  plan.calls_per_second = rate / kBatch;
  std::thread load([&] {
    const CallCounts counts =
        RunCalls(port, plan, [&requests] { return requests.Next(); });
    RequireAllOk(counts);
    std::printf("  under %.0f records/s\n",
                static_cast<double>(counts.ok) * kBatch / counts.seconds);
  });
  std::this_thread::sleep_for(std::chrono::seconds(1));
  work();
  load.join();
}

}  // namespace

void RunQueriesScenario(const ScenarioOptions& options) {
  const std::string path = options.folder + "/queries.db";
  double sustainable = options.sustainable;
  {
    const ServerProcess server("sqlite", path);
    // Repeats one batch for each hour of the month.
    Requests requests(Ids::kOrdered, Times::kOfSource,
                      RecordSource(Ids::kOrdered, options.usage, NextSeed(),
                                   MonthStart() * 1'000'000'000, 3'600'000'000),
                      kBatch, kMonthSeconds / 3600, kProject);
    CallPlan plan = Plan(8, 3600);
    plan.calls = options.records / kBatch;
    const CallCounts counts =
        RunCalls(server.port(), plan, [&requests] { return requests.Next(); });
    RequireAllOk(counts);
    std::printf("filled with %.0f records in %.0f s\n",
                static_cast<double>(counts.ok) * kBatch, counts.seconds);
  }
  const ServerProcess server("sqlite", path);
  const auto millis = [](const std::vector<double>& times, double quantile) {
    return 1000 * Quantile(times, quantile);
  };
  RunQueries(server.port(), 1, 0);
  const std::vector<double> idle =
      RunQueries(server.port(), options.seconds, 0.01);
  std::printf("month by day, idle: median %.1f ms, p99 %.1f ms of %zu\n",
              millis(idle, 0.5), millis(idle, 0.99), idle.size());
  const std::vector<double> idle_scan = RunBareScans(
      path, MonthStart(), MonthStart() + kMonthSeconds, options.seconds, 0.01);
  std::printf("scan of the cells, idle: median %.1f ms, p99 %.1f ms\n",
              millis(idle_scan, 0.5), millis(idle_scan, 0.99));
  if (sustainable == 0) {
    sustainable = BatchRate(server.port(), options.usage, 5);
    std::printf("sustainable: %.0f records/s\n", sustainable);
  }
  std::vector<double> ours;
  std::vector<double> scans;
  for (int round = 0; round < options.rounds; ++round) {
    UnderLoad(server.port(), options.usage, sustainable / 2,
              2 * options.seconds, [&] {
                for (const double time :
                     RunQueries(server.port(), options.seconds, 0.01)) {
                  ours.push_back(1000 * time);
                }
                for (const double time : RunBareScans(
                         path, MonthStart(), MonthStart() + kMonthSeconds,
                         options.seconds, 0.01)) {
                  scans.push_back(1000 * time);
                }
              });
  }
  PrintRatio("month by day, p99", "ms, half load", {Quantile(ours, 0.99)},
             {Quantile(scans, 0.99)});
  PrintRatio("month by day, median", "ms, half load", {Median(ours)},
             {Median(scans)});
}

}  // namespace tokenusage::load
