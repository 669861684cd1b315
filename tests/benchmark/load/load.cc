// SPDX-License-Identifier: Apache-2.0

// Compares the service with simpler programs, in turns, on one machine.
//
//   bazel run -c opt //tests/benchmark/load:load -- calls batches cpu
//   bazel run -c opt //tests/benchmark/load:load -- --seconds=600 soak
//
// Each server is a separate process on a loopback port; the callers are this
// process. docs/performance.md explains the figures.

#include <unistd.h>

#include <filesystem>
#include <functional>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "tests/benchmark/load/scenarios.h"
#include "tests/benchmark/load/server_process.h"

int main(int argc, char** argv) {
  namespace load = tokenusage::load;
  load::ScenarioOptions options;
  std::string serve;
  std::string database;
  std::vector<std::string> names;
  const std::map<std::string, std::function<void(const load::ScenarioOptions&)>>
      scenarios = {{"calls", &load::RunCallsScenario},
                   {"batches", &load::RunBatchesScenario},
                   {"http", &load::RunHttpScenario},
                   {"reporter", &load::RunReporterScenario},
                   {"streams", &load::RunStreamsScenario},
                   {"cpu", &load::RunCpuScenario},
                   {"queries", &load::RunQueriesScenario},
                   {"labels", &load::RunLabelsScenario},
                   {"overload", &load::RunOverloadScenario},
                   {"soak", &load::RunSoakScenario}};

  CLI::App app("Measures the service beside simpler programs.");
  app.add_option("scenarios", names,
                 "calls, batches, http, reporter, streams, cpu, queries, "
                 "labels, overload, soak");
  app.add_option("--rounds", options.rounds, "rounds of each contender")
      ->capture_default_str();
  app.add_option("--seconds", options.seconds,
                 "length of a round, or of a soak")
      ->capture_default_str();
  app.add_option("--records", options.records,
                 "records of the scenarios queries and labels, at least 744000")
      ->capture_default_str();
  app.add_option("--sustainable", options.sustainable,
                 "records per second that count as sustainable; 0: measured")
      ->capture_default_str();
  const std::map<std::string, load::Usage> usages = {
      {"images", load::Usage::kImages},
      {"chat", load::Usage::kChat},
      {"mixed", load::Usage::kMixed}};
  app.add_option("--usage", options.usage,
                 "usage of the records: images, chat or mixed; default: chat")
      ->transform(CLI::Transformer(usages));
  app.add_option("--folder", options.folder, "where databases are made")
      ->capture_default_str();
  app.add_option("--serve", serve, "")->group("");
  app.add_option("--database", database, "")->group("");
  CLI11_PARSE(app, argc, argv);
  if (!serve.empty()) return load::RunServer(serve, database);

  options.folder += "/tokenusage-load-" + std::to_string(getpid());
  std::filesystem::create_directories(options.folder);
  int failures = 0;
  for (const std::string& name : names) {
    const auto scenario = scenarios.find(name);
    if (scenario == scenarios.end()) {
      std::cerr << "unknown scenario " << name << "\n";
      failures = 2;
      break;
    }
    scenario->second(options);
  }
  std::filesystem::remove_all(options.folder);
  return failures;
}
