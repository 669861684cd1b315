// SPDX-License-Identifier: Apache-2.0

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
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
#include "tokenusage/v1/usage_reporting_service.grpc.pb.h"

namespace tokenusage::load {
namespace {

constexpr int kCustomers = 10'000;

RecordSource CustomerSource(Usage usage, std::int64_t start_nanos,
                            std::int64_t step_nanos) {
  RecordSource source(Ids::kOrdered, usage, NextSeed(), start_nanos,
                      step_nanos);
  source.set_customers(kCustomers);
  return source;
}

// Returns the records per second, in batches of records of all customers.
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

// Returns the rows of a query's first page, or of all pages; -1 if it fails.
std::int64_t CountRows(v1::UsageReportingService::Stub* stub,
                       v1::QueryUsageRequest request, bool all_pages) {
  std::int64_t rows = 0;
  for (;;) {
    grpc::ClientContext context;
    v1::QueryUsageResponse response;
    const grpc::Status status = stub->QueryUsage(&context, request, &response);
    if (!status.ok()) {
      std::printf("  a query failed: %s\n", status.error_message().c_str());
      return -1;
    }
    rows += response.rows_size();
    if (!all_pages || response.next_page_token().empty()) return rows;
    request.set_page_token(response.next_page_token());
  }
}

// Prints how long a query for the month takes, and how long the first one took.
void MeasureMonth(int port, const std::string& what, double seconds,
                  const std::function<void(v1::QueryUsageRequest*)>& change,
                  bool all_pages = false) {
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
    rows = CountRows(stub.get(), request, all_pages);
    if (rows < 0) return;
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
  MeasureMonth(server.port(), "the same, all pages", options.seconds, month,
               /*all_pages=*/true);
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

}  // namespace tokenusage::load
