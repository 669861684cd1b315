// SPDX-License-Identifier: Apache-2.0

// The scenarios of the load program. Each prints its figures.

#ifndef TOKENUSAGE_TESTS_BENCHMARK_LOAD_SCENARIOS_H_
#define TOKENUSAGE_TESTS_BENCHMARK_LOAD_SCENARIOS_H_

#include <cstdint>
#include <string>

#include "tests/benchmark/load/records.h"

namespace tokenusage::load {

struct ScenarioOptions {
  int rounds = 5;
  double seconds = 3;
  std::int64_t records = 10'000'000;
  double sustainable = 0;
  Usage usage = Usage::kChat;  // of the records that are reported
  std::string folder = "/tmp";
};

// Compares one record a call from 64 callers, stored durably, with an echo of
// the request; and measures the limits of SQLite and of the disk.
void RunCallsScenario(const ScenarioOptions& options);

// Compares batches of 1,000 with ordered and with random ids with SQLite alone.
void RunBatchesScenario(const ScenarioOptions& options);

// Compares batches of 100 over HTTP, in JSON and in binary, with gRPC.
void RunHttpScenario(const ScenarioOptions& options);

// Compares a UsageReporter with the promise of kDisk, through one connection,
// and a spool of a million records, with batches of 1,000.
void RunReporterScenario(const ScenarioOptions& options);

// Compares batches over one call of StreamUsage with calls of ReportUsage over
// one connection, with the same number in flight.
void RunStreamsScenario(const ScenarioOptions& options);

// Compares the CPU time of a server without a store with that of one that only
// parses.
void RunCpuScenario(const ScenarioOptions& options);

// Compares queries of a month by day, idle and while records arrive, with a
// scan of the rollups.
void RunQueriesScenario(const ScenarioOptions& options);

// Compares batches of 1,000 with rollups by a label of 10,000 values with those
// without, and queries months by that label.
void RunLabelsScenario(const ScenarioOptions& options);

// Offers three times the sustainable load from 64 connections.
void RunOverloadScenario(const ScenarioOptions& options);

// Prints memory over time at four fifths of the sustainable load.
void RunSoakScenario(const ScenarioOptions& options);

}  // namespace tokenusage::load

#endif  // TOKENUSAGE_TESTS_BENCHMARK_LOAD_SCENARIOS_H_
