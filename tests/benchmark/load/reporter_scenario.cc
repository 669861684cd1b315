// SPDX-License-Identifier: Apache-2.0

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tests/benchmark/load/records.h"
#include "tests/benchmark/load/scenario_parts.h"
#include "tests/benchmark/load/scenarios.h"
#include "tests/benchmark/load/server_process.h"
#include "tokenusage/client/grpc_transport.h"
#include "tokenusage/client/usage_reporter.h"

namespace tokenusage::load {
namespace {

std::unique_ptr<UsageReporter> StartReporter(int port,
                                             const std::string& folder,
                                             Durability durability) {
  GrpcTransportOptions connection;
  connection.servers = {"127.0.0.1:" + std::to_string(port)};
  UsageReporterOptions options;
  options.project = kProject;
  options.durability = durability;
  options.spool_folder = folder;
  options.full_timeout = absl::Hours(1);
  auto transport = NewGrpcTransport(connection);
  if (!transport.ok()) std::abort();
  auto reporter =
      UsageReporter::Start(std::move(options), *std::move(transport));
  if (!reporter.ok()) std::abort();
  return *std::move(reporter);
}

// Returns the records per second from the first report to the last answer.
double ReporterRate(int port, const std::string& folder,
                    const std::vector<v1::UsageRecord>& records,
                    double seconds) {
  const auto reporter = StartReporter(port, folder, Durability::kDisk);
  const absl::Time start = absl::Now();
  std::atomic<int> failures{0};
  for (std::size_t i = 0;
       i % 1000 != 0 || absl::Now() < start + absl::Seconds(seconds); ++i) {
    const absl::Status status = reporter->Report(
        records[i % records.size()],
        [&failures](const absl::Status& synced) { failures += !synced.ok(); });
    failures += !status.ok();
  }
  failures += !reporter->Stop(absl::Hours(1)).ok();
  if (failures > 0) std::printf("  %d failures\n", failures.load());
  return static_cast<double>(reporter->counters().stored) /
         absl::ToDoubleSeconds(absl::Now() - start);
}

// Returns the records per second at which a spool of `count` records drains,
// with the time to open it.
double DrainRate(int port, const std::string& folder,
                 const std::vector<v1::UsageRecord>& records, int count) {
  {
    const auto reporter =
        StartReporter(/*port=*/1, folder, Durability::kProcess);
    for (int i = 0; i < count; ++i) {
      const std::size_t n = static_cast<std::size_t>(i) % records.size();
      if (!reporter->Report(records[n]).ok()) std::abort();
    }
  }
  const absl::Time start = absl::Now();
  const auto reporter = StartReporter(port, folder, Durability::kProcess);
  const double open_seconds = absl::ToDoubleSeconds(absl::Now() - start);
  if (!reporter->Stop(absl::Hours(1)).ok()) std::printf("  not drained\n");
  std::printf("  a spool of %d records opened in %.3f s\n", count,
              open_seconds);
  return static_cast<double>(reporter->counters().stored) /
         absl::ToDoubleSeconds(absl::Now() - start);
}

}  // namespace

void RunReporterScenario(const ScenarioOptions& options) {
  RecordSource source(Ids::kOrdered, options.usage, NextSeed());
  std::vector<v1::UsageRecord> records;
  for (int i = 0; i < 20'000; ++i) {
    records.push_back(source.Next());
    records.back().clear_record_id();  // the reporter gives it one
    records.back().clear_event_time();
  }
  constexpr int kSpooled = 1'000'000;
  std::vector<double> direct, reported, drained;
  for (int round = 0; round < options.rounds; ++round) {
    const std::string name = options.folder + "/" + std::to_string(NextSeed());
    const ServerProcess server("sqlite", name + ".db");
    direct.push_back(BatchRate(server.port(), options.usage, options.seconds));
    reported.push_back(
        ReporterRate(server.port(), name + ".spool", records, options.seconds));
    drained.push_back(
        DrainRate(server.port(), name + ".full", records, kSpooled));
  }
  PrintRatio("a reporter, synced to disk", "records/s, batches", reported,
             direct);
  PrintRatio("a spool of 1,000,000 records", "records/s, batches", drained,
             direct);
}

}  // namespace tokenusage::load
