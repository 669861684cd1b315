// SPDX-License-Identifier: Apache-2.0

#include "tests/benchmark/load/scenarios.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/slice.h"
#include "tests/benchmark/load/client.h"
#include "tests/benchmark/load/http_client.h"
#include "tests/benchmark/load/records.h"
#include "tests/benchmark/load/server_process.h"
#include "tests/benchmark/load/yardsticks.h"
#include "tokenusage/client/grpc_transport.h"
#include "tokenusage/client/usage_reporter.h"
#include "tokenusage/json/json.h"
#include "tokenusage/v1/usage_reporting_service.grpc.pb.h"

namespace tokenusage::load {
namespace {

constexpr char kProject[] = "load";
constexpr int kBatch = 1000;

double Quantile(std::vector<double> values, double quantile) {
  std::sort(values.begin(), values.end());
  const auto last = static_cast<double>(values.size() - 1);
  return values[static_cast<std::size_t>(std::ceil(quantile * last))];
}
double Median(const std::vector<double>& values) {
  return Quantile(values, 0.5);
}

// Prints the medians of two contenders and of their ratios in each round.
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

// Makes requests of `records` records whose event times are when they are sent.
Requests NowRequests(Ids ids, Usage usage, int records, int batches) {
  return Requests(ids, Times::kNow, RecordSource(ids, usage, NextSeed()),
                  records, batches, kProject);
}

// Returns the records per second of batches of 1,000 at full speed.
double BatchRate(int port, Usage usage, double seconds) {
  Requests requests = NowRequests(Ids::kOrdered, usage, kBatch, 64);
  const CallCounts counts =
      RunCalls(port, Plan(8, seconds), [&requests] { return requests.Next(); });
  RequireAllOk(counts);
  return static_cast<double>(counts.ok) * kBatch / counts.seconds;
}

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

// Returns the records per second at which a spool drains that holds `count`.
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
constexpr std::int64_t kMonthSeconds = 31 * 86400;

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

void PrintMemory(const ServerProcess& server, double at) {
  std::printf("  %6.0f s: %.1f MiB, at most %.1f MiB\n", at,
              static_cast<double>(server.ResidentKilobytes()) / 1024,
              static_cast<double>(server.PeakResidentKilobytes()) / 1024);
  std::fflush(stdout);
}

}  // namespace

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
  // The limits of SQLite and of the disk, with groups as large as those of the
  // service.
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
      // The same records for each: random ids get slower as the database grows.
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

namespace {

constexpr int kCustomers = 10'000;

RecordSource CustomerSource(Usage usage, std::int64_t start_nanos,
                            std::int64_t step_nanos) {
  RecordSource source(Ids::kOrdered, usage, NextSeed(), start_nanos,
                      step_nanos);
  source.set_customers(kCustomers);
  return source;
}

// Returns the records per second of batches, of all customers.
double CustomerRate(const std::string& kind, const std::string& path,
                    const ScenarioOptions& options) {
  const ServerProcess server(kind, path);
  Requests requests(Ids::kOrdered, Times::kNow,
                    CustomerSource(options.usage, 0, 1000), kBatch, 300,
                    kProject);
  // Enough for several folds.
  CallPlan plan = Plan(8, 3600);
  plan.calls = static_cast<std::int64_t>(options.seconds * 1000);
  const CallCounts counts =
      RunCalls(server.port(), plan, [&requests] { return requests.Next(); });
  RequireAllOk(counts);
  return static_cast<double>(counts.ok) * kBatch / counts.seconds;
}

// Prints how long a query for the month takes, and its first use.
void MeasureMonth(int port, const std::string& what, double seconds,
                  const std::function<void(v1::QueryUsageRequest*)>& change) {
  const auto stub = v1::UsageReportingService::NewStub(Connect(port));
  v1::QueryUsageRequest request;
  request.set_project(kProject);
  request.mutable_start_time()->set_seconds(MonthStart());
  request.mutable_end_time()->set_seconds(MonthStart() + kMonthSeconds);
  request.add_group_by("labels.customer");
  request.set_page_size(1000);
  change(&request);
  std::vector<double> times;
  std::int64_t rows = 0;
  const absl::Time stop = absl::Now() + absl::Seconds(seconds);
  while (absl::Now() < stop || times.size() < 5) {
    const absl::Time begin = absl::Now();
    grpc::ClientContext context;
    v1::QueryUsageResponse response;
    const grpc::Status status = stub->QueryUsage(&context, request, &response);
    if (!status.ok()) {
      std::printf("  a query failed: %s\n", status.error_message().c_str());
      return;
    }
    rows = response.rows_size();
    times.push_back(1000 * absl::ToDoubleSeconds(absl::Now() - begin));
  }
  std::printf("%-34s %10.1f ms, p99 %.1f ms, first %.1f ms, %lld rows\n",
              what.c_str(), Median(times), Quantile(times, 0.99), times[0],
              static_cast<long long>(rows));
  std::fflush(stdout);
}

}  // namespace

void RunLabelsScenario(const ScenarioOptions& options) {
  std::vector<double> ours;
  std::vector<double> without;
  for (int round = 0; round < options.rounds; ++round) {
    const std::string path = options.folder + "/" + std::to_string(NextSeed());
    ours.push_back(CustomerRate("labels", path + "a.db", options));
    without.push_back(CustomerRate("sqlite", path + "b.db", options));
    for (const char* name : {"a.db", "b.db"}) {
      std::filesystem::remove(path + name);
    }
  }
  PrintRatio("batches, rollups by customer", "records/s, without", ours,
             without);

  const ServerProcess server("labels", options.folder + "/labels.db");
  Requests requests(Ids::kOrdered, Times::kOfSource,
                    CustomerSource(options.usage, MonthStart() * 1'000'000'000,
                                   3'600'000'000),
                    kBatch, kMonthSeconds / 3600, kProject);
  CallPlan plan = Plan(8, 3600);
  plan.calls = options.records / kBatch;
  const CallCounts counts =
      RunCalls(server.port(), plan, [&requests] { return requests.Next(); });
  RequireAllOk(counts);
  std::printf("filled with %.0f records in %.0f s\n",
              static_cast<double>(counts.ok) * kBatch, counts.seconds);
  const auto month = [](v1::QueryUsageRequest*) {};
  MeasureMonth(server.port(), "a month by customer, at once", 0, month);
  std::this_thread::sleep_for(std::chrono::seconds(20));
  MeasureMonth(server.port(), "a month by customer", options.seconds, month);
  MeasureMonth(server.port(), "the ten largest", options.seconds,
               [](v1::QueryUsageRequest* request) {
                 request->set_order_by("total_tokens");
                 request->set_page_size(10);
               });
  MeasureMonth(server.port(), "one customer by model", options.seconds,
               [](v1::QueryUsageRequest* request) {
                 request->set_group_by(0, "model");
                 v1::UsageFilter* const filter = request->add_filters();
                 filter->set_field("labels.customer");
                 filter->add_values("customer-4711");
               });
  MeasureMonth(server.port(), "one customer by day", options.seconds,
               [](v1::QueryUsageRequest* request) {
                 request->set_bucket(v1::TIME_BUCKET_DAY);
                 v1::UsageFilter* const filter = request->add_filters();
                 filter->set_field("labels.customer");
                 filter->add_values("customer-4711");
               });
  PrintMemory(server, 0);
  std::printf("  the database has %.1f GB\n",
              static_cast<double>(
                  std::filesystem::file_size(options.folder + "/labels.db")) /
                  1e9);
}

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
