// SPDX-License-Identifier: Apache-2.0

// Helpers that several scenarios use.
//
//   Requests requests = NowRequests(Ids::kOrdered, usage, kBatch, 64);
//   const CallCounts counts =
//       RunCalls(server.port(), Plan(8, 3), [&] { return requests.Next(); });
//   RequireAllOk(counts);

#ifndef TOKENUSAGE_TESTS_BENCHMARK_LOAD_SCENARIO_PARTS_H_
#define TOKENUSAGE_TESTS_BENCHMARK_LOAD_SCENARIO_PARTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "tests/benchmark/load/client.h"
#include "tests/benchmark/load/records.h"
#include "tests/benchmark/load/scenarios.h"
#include "tests/benchmark/load/server_process.h"

namespace tokenusage::load {

inline constexpr char kProject[] = "load";
inline constexpr int kBatch = 1000;

// Returns the start of the month that queries read, in Unix seconds.
std::int64_t MonthStart();
inline constexpr std::int64_t kMonthSeconds = 31 * 86400;

double Quantile(std::vector<double> values, double quantile);
double Median(const std::vector<double>& values);

// Prints the medians of two contenders and of their ratios in each round.
void PrintRatio(const std::string& what, const std::string& unit,
                const std::vector<double>& ours,
                const std::vector<double>& theirs);

// Prints the memory of a server, `at` seconds after the load began.
void PrintMemory(const ServerProcess& server, double at);

CallPlan Plan(int callers, double seconds);

// Prints the number of calls that were refused or failed, if any.
void RequireAllOk(const CallCounts& counts);

// Returns another seed at each call.
std::uint64_t NextSeed();

// Returns requests of `records` records whose event times are those of sending.
Requests NowRequests(Ids ids, Usage usage, int records, int batches);

// Returns the records per second of batches of 1,000 at full speed.
double BatchRate(int port, Usage usage, double seconds);

// Returns options.sustainable or, if it is 0, measures it.
double Sustainable(const ScenarioOptions& options);

}  // namespace tokenusage::load

#endif  // TOKENUSAGE_TESTS_BENCHMARK_LOAD_SCENARIO_PARTS_H_
