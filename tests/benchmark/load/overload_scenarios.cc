// SPDX-License-Identifier: Apache-2.0

#include <atomic>
#include <chrono>
#include <cstdio>
#include <thread>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tests/benchmark/load/client.h"
#include "tests/benchmark/load/records.h"
#include "tests/benchmark/load/scenario_parts.h"
#include "tests/benchmark/load/scenarios.h"
#include "tests/benchmark/load/server_process.h"

namespace tokenusage::load {

void RunOverloadScenario(const ScenarioOptions& options) {
  const double sustainable = Sustainable(options);
  const ServerProcess server("sqlite", options.folder + "/overload.db");
  const double seconds = 10 * options.seconds;
  Requests requests = NowRequests(Ids::kOrdered, options.usage, kBatch, 64);
  CallPlan plan = Plan(512, seconds);
  plan.connections = 64;
  plan.calls_per_second = 3 * sustainable / kBatch;
  const CallCounts counts =
      RunCalls(server.port(), plan, [&requests] { return requests.Next(); });
  std::printf(
      "64 connections, %.0f records/s offered: %.0f/s taken, %.0f/s refused, "
      "%lld calls failed\n",
      static_cast<double>(counts.ok + counts.busy + counts.failed) * kBatch /
          counts.seconds,
      static_cast<double>(counts.ok) * kBatch / counts.seconds,
      static_cast<double>(counts.busy) * kBatch / counts.seconds,
      static_cast<long long>(counts.failed));
  PrintMemory(server, counts.seconds);
}

void RunSoakScenario(const ScenarioOptions& options) {
  const double sustainable = Sustainable(options);
  const ServerProcess server("sqlite", options.folder + "/soak.db");
  Requests requests = NowRequests(Ids::kOrdered, options.usage, kBatch, 64);
  CallPlan plan = Plan(64, options.seconds);
  plan.connections = 64;
  plan.calls_per_second = 0.8 * sustainable / kBatch;
  std::atomic<bool> over{false};
  std::thread watch([&] {
    const absl::Time start = absl::Now();
    while (!over) {
      PrintMemory(server, absl::ToDoubleSeconds(absl::Now() - start));
      for (int i = 0; i < 30 && !over; ++i) {
        std::this_thread::sleep_for(std::chrono::seconds(1));
      }
    }
  });
  const CallCounts counts =
      RunCalls(server.port(), plan, [&requests] { return requests.Next(); });
  over = true;
  watch.join();
  RequireAllOk(counts);
  std::printf("%.0f records/s for %.0f s\n",
              static_cast<double>(counts.ok) * kBatch / counts.seconds,
              counts.seconds);
  PrintMemory(server, counts.seconds);
}

}  // namespace tokenusage::load
