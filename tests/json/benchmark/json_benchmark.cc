// The JSON mapping beside other libraries and the limit of the machine.
//
//   bazel run -c opt //tests/json/benchmark:json_benchmark
//
// All contenders run in one process, in random order, several times; the table
// shows medians in nanoseconds per message and, in brackets, the ratio to
// tokenusage. Ratios hold from run to run, times do not.

#include <algorithm>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "benchmark/benchmark.h"
#include "data_sets.h"
#include "peers.h"
#include "tokenusage/json/json.h"
#include "yardstick.h"

namespace tokenusage {
namespace {

using simdjson::ondemand::parser;

// Runs one pass over a data set; returns how many messages succeeded.
using Pass = std::function<std::size_t()>;

const Documents& DocumentsOf(DataSet data_set) {
  static auto* const kAll = new std::map<DataSet, Documents>;
  const auto found = kAll->find(data_set);
  if (found != kAll->end()) return found->second;
  return kAll->emplace(data_set, MakeDocuments(data_set)).first->second;
}

// A pass that parses each document into one message that is used again.
template <typename Parse>
Pass ReadPass(DataSet data_set, Parse parse) {
  auto message = std::make_shared<SeedMessage>();
  return [&documents = DocumentsOf(data_set), message, parse] {
    std::size_t count = 0;
    for (const std::string& json : documents.json) {
      count += parse(json, message.get());
    }
    benchmark::DoNotOptimize(*message);
    return count;
  };
}

// A pass that writes each message into one string that is used again.
template <typename Append>
Pass WritePass(DataSet data_set, Append append) {
  auto out = std::make_shared<std::string>();
  return [&documents = DocumentsOf(data_set), out, append] {
    std::size_t count = 0;
    for (const SeedMessage& message : documents.messages) {
      out->clear();
      count += append(message, out.get());
    }
    benchmark::DoNotOptimize(*out);
    return count;
  };
}

// Checks once that every message of the pass succeeds, then measures it.
void Register(const std::string& name, std::size_t messages, const Pass& pass) {
  benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) {
    if (pass() != messages) {
      state.SkipWithError("not every message succeeded");
      return;
    }
    for (auto _ : state) benchmark::DoNotOptimize(pass());
    state.SetItemsProcessed(state.iterations() *
                            static_cast<std::int64_t>(messages));
  });
}

void RegisterReads(const std::string& name, DataSet data_set) {
  const auto add = [&](const std::string& contender, const Pass& pass) {
    Register(name + "/" + contender, kMessageCount, pass);
  };
  add("tokenusage",
      ReadPass(data_set, [](const std::string& json, SeedMessage* message) {
        return ParseJson(json, message).ok();
      }));
  if (data_set != DataSet::kPretty && data_set != DataSet::kShuffled) {
    add("limit",
        ReadPass(data_set, [](const std::string& json, SeedMessage* message) {
          message->Clear();
          return YardstickParse(json.data(), json.size(), message);
        }));
  }
  auto simdjson_parser = std::make_shared<parser>();
  add("simdjson", ReadPass(data_set, [simdjson_parser](const std::string& json,
                                                       SeedMessage* message) {
        message->Clear();
        return SimdjsonParse(simdjson_parser.get(), json, message);
      }));
  const auto add_peer = [&](const std::string& contender, auto parse) {
    add(contender, ReadPass(data_set, [parse](const std::string& json,
                                              SeedMessage* message) {
          message->Clear();
          return parse(json, message);
        }));
  };
  add_peer("rapidjson", RapidJsonParse);
  add_peer("nlohmann", NlohmannParse);
  add_peer("protobuf", ProtobufParse);
}

void RegisterWrites(const std::string& name, DataSet data_set) {
  const auto add = [&](const std::string& contender, auto append) {
    Register(name + "/" + contender, kMessageCount,
             WritePass(data_set, append));
  };
  add("tokenusage", [](const SeedMessage& message, std::string* out) {
    return AppendJson(message, out).ok();
  });
  add("limit", [](const SeedMessage& message, std::string* out) {
    YardstickAppend(message, out);
    return true;
  });
  add("rapidjson", RapidJsonAppend);
  add("nlohmann", NlohmannAppend);
  add("protobuf", ProtobufAppend);
}

void RegisterInsideAResponse(const std::string& name) {
  const std::string& response = DocumentsOf(DataSet::kMoney).response;
  auto message = std::make_shared<SeedMessage>();
  auto simdjson_parser = std::make_shared<parser>();
  Register(name + "/tokenusage", 1, [&response, message] {
    return std::size_t{ParseJsonAt(response, "usage", message.get()).ok()};
  });
  Register(name + "/simdjson", 1, [&response, message, simdjson_parser] {
    message->Clear();
    return std::size_t{
        SimdjsonParseUsage(simdjson_parser.get(), response, message.get())};
  });
}

// Collects the times per item and prints a table of medians at the end.
class TableReporter : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }

  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      if (run.error_occurred) {
        std::fprintf(stderr, "%s: %s\n", run.benchmark_name().c_str(),
                     run.error_message.c_str());
      } else if (run.run_type == Run::RT_Iteration) {
        const std::string name = run.run_name.function_name;
        const std::size_t slash = name.rfind('/');
        samples_[name.substr(0, slash)][name.substr(slash + 1)].push_back(
            1e9 / run.counters.at("items_per_second"));
      }
    }
  }

  void Finalize() override {
    std::printf("|");
    for (const char* contender : kColumns) std::printf(" %s |", contender);
    std::printf("\n|---|---:|---:|---:|---:|---:|---:|\n");
    for (const auto& [row, contenders] : samples_) {
      std::printf("| %s |", row.c_str());
      const double own = Median(contenders.at("tokenusage"));
      for (const char* contender : kColumns) {
        if (contender == kColumns[0]) continue;
        const auto found = contenders.find(contender);
        if (found == contenders.end()) {
          std::printf(" |");
        } else {
          const double time = Median(found->second);
          std::printf(" %.1f (%.2f) |", time, own / time);
        }
      }
      std::printf("\n");
    }
  }

 private:
  static constexpr const char* kColumns[] = {"ns (tokenusage : it)",
                                             "tokenusage",
                                             "limit",
                                             "simdjson",
                                             "rapidjson",
                                             "nlohmann",
                                             "protobuf"};

  static double Median(std::vector<double> values) {
    const auto middle =
        values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
  }

  std::map<std::string, std::map<std::string, std::vector<double>>> samples_;
};

}  // namespace
}  // namespace tokenusage

int main(int argc, char** argv) {
  using tokenusage::DataSet;
  // Defaults; flags on the command line come later and win.
  std::vector<std::string> flags = {
      argv[0], "--benchmark_enable_random_interleaving=true",
      "--benchmark_repetitions=15", "--benchmark_min_time=0.05"};
  flags.insert(flags.end(), argv + 1, argv + argc);
  std::vector<char*> arguments;
  for (std::string& flag : flags) arguments.push_back(flag.data());
  int count = static_cast<int>(arguments.size());
  benchmark::Initialize(&count, arguments.data());

  tokenusage::RegisterReads("read, money", DataSet::kMoney);
  tokenusage::RegisterReads("read, ints", DataSet::kInts);
  tokenusage::RegisterReads("read, full", DataSet::kFull);
  tokenusage::RegisterReads("read, pretty", DataSet::kPretty);
  tokenusage::RegisterReads("read, shuffled", DataSet::kShuffled);
  tokenusage::RegisterWrites("write, money", DataSet::kMoney);
  tokenusage::RegisterWrites("write, ints", DataSet::kInts);
  tokenusage::RegisterWrites("write, full", DataSet::kFull);
  tokenusage::RegisterInsideAResponse("read, inside a 1 MB response");
  tokenusage::TableReporter reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
  return 0;
}
