// SPDX-License-Identifier: Apache-2.0

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/slice.h"
#include "tests/benchmark/load/client.h"
#include "tests/benchmark/load/http_client.h"
#include "tests/benchmark/load/records.h"
#include "tests/benchmark/load/scenario_parts.h"
#include "tests/benchmark/load/scenarios.h"
#include "tests/benchmark/load/server_process.h"
#include "tests/benchmark/load/yardsticks.h"
#include "tokenusage/json/json.h"

namespace tokenusage::load {

void RunCallsScenario(const ScenarioOptions& options) {
  constexpr int kCallers = 64;
  const ServerProcess ours("sqlite", options.folder + "/calls.db");
  const ServerProcess echo("echo");
  for (const int connections : {1, kCallers}) {
    const auto rate = [&](const ServerProcess& server) {
      Requests requests = NowRequests(Ids::kOrdered, options.usage, 1, 64);
      CallPlan plan = Plan(kCallers, options.seconds);
      plan.connections = connections;
      const CallCounts counts = RunCalls(
          server.port(), plan, [&requests] { return requests.Next(); });
      RequireAllOk(counts);
      return static_cast<double>(counts.ok) / counts.seconds;
    };
    std::vector<double> our_rates;
    std::vector<double> echo_rates;
    for (int round = 0; round < options.rounds; ++round) {
      our_rates.push_back(rate(ours));
      echo_rates.push_back(rate(echo));
    }
    PrintRatio("one record a call, " + std::to_string(connections) +
                   (connections == 1 ? " connection" : " connections"),
               "calls/s, echo", our_rates, echo_rates);
  }
  // Measures the limits of SQLite and of the disk, with groups as large as
  // those of the service.
  constexpr int kGroup = 25;
  RecordSource source(Ids::kOrdered, options.usage, NextSeed());
  std::vector<v1::ReportUsageRequest> groups;
  for (int i = 0; i < static_cast<int>(options.seconds * 1000); ++i) {
    groups.push_back(source.Batch(kGroup, kProject));
  }
  std::printf("%d records a commit: SQLite alone %.0f/s, a log alone %.0f/s\n",
              kGroup, RunBareInserts(options.folder + "/limit.db", groups),
              RunBareLog(options.folder + "/limit.log", groups));
}

void RunBatchesScenario(const ScenarioOptions& options) {
  const auto batches = static_cast<int>(options.seconds * 100);
  const auto path = [&options] {
    return options.folder + "/" + std::to_string(NextSeed()) + ".db";
  };
  for (const Ids ids : {Ids::kOrdered, Ids::kRandom}) {
    const std::string name =
        ids == Ids::kOrdered ? "ordered ids" : "random ids";
    std::vector<double> ours;
    std::vector<double> same_commits;
    std::vector<double> bare;
    for (int round = 0; round < options.rounds; ++round) {
      // Each contender stores the same records: random ids get slower as the
      // database grows.
      std::vector<v1::ReportUsageRequest> requests;
      RecordSource source(ids, options.usage, NextSeed());
      for (int i = 0; i < batches; ++i) {
        requests.push_back(source.Batch(kBatch, kProject));
      }
      const auto run = [&](const std::string& kind) {
        const ServerProcess server(kind, path());
        std::vector<grpc::ByteBuffer> bytes;
        for (const auto& request : requests) bytes.push_back(ToBytes(request));
        std::atomic<std::size_t> next{0};
        CallPlan plan = Plan(8, 3600);
        plan.calls = batches;
        const CallCounts counts = RunCalls(
            server.port(), plan, [&] { return std::move(bytes[next++]); });
        RequireAllOk(counts);
        return static_cast<double>(counts.ok) * kBatch / counts.seconds;
      };
      ours.push_back(run("sqlite"));
      same_commits.push_back(run("sqlite1"));
      bare.push_back(RunBareInserts(path(), requests));
    }
    PrintRatio("batches, " + name, "records/s, SQLite", ours, bare);
    PrintRatio("  1,000 records a commit", "records/s, SQLite", same_commits,
               bare);
  }
}

void RunHttpScenario(const ScenarioOptions& options) {
  constexpr int kRecords = 100;
  constexpr int kCallers = 16;
  const auto batches = static_cast<std::size_t>(options.seconds * 500);
  std::vector<double> grpc_rates;
  std::vector<double> binary_rates;
  std::vector<double> json_rates;
  for (int round = 0; round < options.rounds; ++round) {
    RecordSource source(Ids::kOrdered, options.usage, NextSeed());
    std::vector<std::string> binary;
    std::vector<std::string> json;
    for (std::size_t i = 0; i < batches; ++i) {
      const v1::ReportUsageRequest request = source.Batch(kRecords, kProject);
      binary.push_back(request.SerializeAsString());
      json.push_back(*WriteJson(request));
    }
    const auto path = [&options] {
      return options.folder + "/" + std::to_string(NextSeed()) + ".db";
    };
    const auto rate = [](const CallCounts& counts) {
      RequireAllOk(counts);
      return static_cast<double>(counts.ok) * kRecords / counts.seconds;
    };
    {
      const ServerProcess server("sqlite", path());
      std::atomic<std::size_t> next{0};
      CallPlan plan = Plan(kCallers, 3600);
      plan.calls = static_cast<std::int64_t>(batches);
      grpc_rates.push_back(rate(RunCalls(server.port(), plan, [&] {
        const grpc::Slice slice(binary[next++]);
        return grpc::ByteBuffer(&slice, 1);
      })));
    }
    for (const bool is_json : {false, true}) {
      const ServerProcess server("http", path());
      (is_json ? json_rates : binary_rates)
          .push_back(rate(
              RunHttpCalls(server.port(), kCallers,
                           is_json ? "application/json" : "application/proto",
                           is_json ? json : binary)));
    }
  }
  PrintRatio("100 records, binary over HTTP", "records/s, gRPC", binary_rates,
             grpc_rates);
  PrintRatio("100 records, JSON over HTTP", "records/s, gRPC", json_rates,
             grpc_rates);
}

void RunStreamsScenario(const ScenarioOptions& options) {
  constexpr int kInFlight = 2;  // as a UsageReporter
  for (const int records : {kBatch, 10}) {
    // Small messages wait for the disk.
    const auto count =
        static_cast<int>(options.seconds * (records == kBatch ? 100 : 1000));
    std::vector<double> streamed;
    std::vector<double> unary;
    for (int round = 0; round < options.rounds; ++round) {
      RecordSource source(Ids::kOrdered, options.usage, NextSeed());
      std::vector<grpc::ByteBuffer> requests;
      std::vector<grpc::ByteBuffer> messages;
      for (int i = 0; i < count; ++i) {
        v1::ReportUsageRequest request = source.Batch(records, kProject);
        requests.push_back(ToBytes(request));
        v1::StreamUsageRequest message;
        message.set_sequence(i + 1);
        message.set_project(kProject);
        message.mutable_records()->Swap(request.mutable_records());
        messages.push_back(ToBytes(message));
      }
      const auto rate = [&](const std::function<CallCounts(int port)>& run) {
        const ServerProcess server(
            "sqlite",
            options.folder + "/" + std::to_string(NextSeed()) + ".db");
        const CallCounts counts = run(server.port());
        RequireAllOk(counts);
        return static_cast<double>(counts.ok) * records / counts.seconds;
      };
      streamed.push_back(rate([&](int port) {
        return RunStream(port, kInFlight, std::move(messages));
      }));
      unary.push_back(rate([&](int port) {
        std::atomic<std::size_t> next{0};
        CallPlan plan = Plan(kInFlight, 3600);
        plan.connections = 1;
        plan.calls = count;
        return RunCalls(port, plan,
                        [&] { return std::move(requests[next++]); });
      }));
    }
    PrintRatio("a stream, " + std::to_string(records) + " a message",
               "records/s, calls", streamed, unary);
  }
}

void RunCpuScenario(const ScenarioOptions& options) {
  const ServerProcess ours("null");
  const ServerProcess parse("parse");
  const auto cost = [&](const ServerProcess& server, int records, int callers) {
    Requests requests = NowRequests(Ids::kOrdered, options.usage, records, 64);
    const double before = server.CpuSeconds();
    const CallCounts counts =
        RunCalls(server.port(), Plan(callers, options.seconds),
                 [&requests] { return requests.Next(); });
    RequireAllOk(counts);
    return (server.CpuSeconds() - before) * 1e6 /
           (static_cast<double>(counts.ok) * records / 1000);
  };
  for (const int records : {1000, 100, 1}) {
    std::vector<double> our_costs;
    std::vector<double> parse_costs;
    const int callers = records == 1 ? 64 : 8;
    for (int round = 0; round < options.rounds; ++round) {
      our_costs.push_back(cost(ours, records, callers));
      parse_costs.push_back(cost(parse, records, callers));
    }
    PrintRatio("no store, " + std::to_string(records) + " a call",
               "us of CPU/1,000", our_costs, parse_costs);
  }
}

}  // namespace tokenusage::load
