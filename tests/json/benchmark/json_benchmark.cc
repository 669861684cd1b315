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
#include "tokenusage/json/path_choice.h"
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
      std::fprintf(stderr, "%s: not every message succeeded\n", name.c_str());
      state.SkipWithError("not every message succeeded");
      return;
    }
    for (auto _ : state) benchmark::DoNotOptimize(pass());
    state.SetItemsProcessed(state.iterations() *
                            static_cast<std::int64_t>(messages));
  });
}

// The same pass on another path through the mapping.
Pass OnPath(json_internal::PathChoice path, const Pass& pass) {
  return [=] {
    const json_internal::PathChoice path_before = json_internal::path_choice;
    const bool avx2_before = json_internal::may_use_avx2;
    json_internal::path_choice = path;
    json_internal::may_use_avx2 =
        avx2_before && path != json_internal::PathChoice::kPortable;
    const std::size_t count = pass();
    json_internal::path_choice = path_before;
    json_internal::may_use_avx2 = avx2_before;
    return count;
  };
}

bool IsCompact(DataSet data_set) {
  return data_set != DataSet::kPretty && data_set != DataSet::kShuffled;
}

void RegisterLimitAndSimdjson(const std::string& name, DataSet data_set) {
  if (IsCompact(data_set)) {
    Register(
        name + "/limit", kMessageCount,
        ReadPass(data_set, [](const std::string& json, SeedMessage* message) {
          // Sets every field, so nothing need be cleared.
          return YardstickParse(json.data(), json.size(), message);
        }));
  }
  auto simdjson_parser = std::make_shared<parser>();
  Register(name + "/simdjson", kMessageCount,
           ReadPass(data_set, [simdjson_parser](const std::string& json,
                                                SeedMessage* message) {
             message->Clear();
             return SimdjsonParse(simdjson_parser.get(), json, message);
           }));
}

// The padded call beside all peers, and the others beside the fastest two.
void RegisterReads(const std::string& set_name, DataSet data_set) {
  std::string name = "read padded, " + set_name;
  Register(
      name + "/tokenusage", kMessageCount,
      ReadPass(data_set, [](const std::string& json, SeedMessage* message) {
        return ParsePaddedJson(json, message).ok();
      }));
  RegisterLimitAndSimdjson(name, data_set);
  const auto add_peer = [&](const std::string& contender, auto parse) {
    Register(name + "/" + contender, kMessageCount,
             ReadPass(data_set,
                      [parse](const std::string& json, SeedMessage* message) {
                        message->Clear();
                        return parse(json, message);
                      }));
  };
  add_peer("rapidjson", RapidJsonParse);
  add_peer("nlohmann", NlohmannParse);
  add_peer("protobuf", ProtobufParse);

  const Pass read =
      ReadPass(data_set, [](const std::string& json, SeedMessage* message) {
        return ParseJson(json, message).ok();
      });
  name = "read string_view, " + set_name;
  Register(name + "/tokenusage", kMessageCount, read);
  RegisterLimitAndSimdjson(name, data_set);
  if (data_set != DataSet::kMoney) return;
  using json_internal::PathChoice;
  for (const auto& [path, path_name] :
       {std::pair(PathChoice::kTable, " by table"),
        std::pair(PathChoice::kPortable, " by table, portable"),
        std::pair(PathChoice::kReflection, " by Reflection")}) {
    Register(name + path_name + "/tokenusage", kMessageCount,
             OnPath(path, read));
    RegisterLimitAndSimdjson(name + path_name, data_set);
  }
}

void RegisterReadLines(const std::string& set_name, DataSet data_set) {
  const std::string name = "read JSON Lines, " + set_name;
  const std::string& lines = DocumentsOf(data_set).lines;
  auto message = std::make_shared<SeedMessage>();
  auto simdjson_parser = std::make_shared<parser>();
  Register(name + "/tokenusage", kMessageCount, [&lines, message] {
    JsonLinesReader reader(lines);
    std::size_t count = 0;
    while (reader.Next(message.get())) count += reader.status().ok();
    return count;
  });
  Register(
      name + "/simdjson", kMessageCount, [&lines, message, simdjson_parser] {
        return static_cast<std::size_t>(
            SimdjsonParseLines(simdjson_parser.get(), lines, message.get()));
      });
}

void RegisterWrites(const std::string& set_name, DataSet data_set) {
  std::string name = "write, " + set_name;
  const auto add = [&](const std::string& contender, auto append) {
    Register(name + "/" + contender, kMessageCount,
             WritePass(data_set, append));
  };
  const auto ours = [](const SeedMessage& message, std::string* out) {
    return AppendJson(message, out).ok();
  };
  const auto limit = [](const SeedMessage& message, std::string* out) {
    YardstickAppend(message, out);
    return true;
  };
  add("tokenusage", ours);
  add("limit", limit);
  add("rapidjson", RapidJsonAppend);
  add("nlohmann", NlohmannAppend);
  add("protobuf", ProtobufAppend);
  if (data_set != DataSet::kMoney) return;
  using json_internal::PathChoice;
  for (const auto& [path, path_name] :
       {std::pair(PathChoice::kTable, " by table"),
        std::pair(PathChoice::kReflection, " by Reflection")}) {
    Register(name + path_name + "/tokenusage", kMessageCount,
             OnPath(path, WritePass(data_set, ours)));
    Register(name + path_name + "/limit", kMessageCount,
             WritePass(data_set, limit));
  }
}

void RegisterWriteLines(const std::string& set_name, DataSet data_set) {
  const std::string name = "write JSON Lines, " + set_name;
  const auto pass = [data_set](auto append) {
    auto out = std::make_shared<std::string>();
    return [&documents = DocumentsOf(data_set), out, append] {
      out->clear();
      std::size_t count = 0;
      for (const SeedMessage& message : documents.messages) {
        count += append(message, out.get());
      }
      benchmark::DoNotOptimize(*out);
      return count;
    };
  };
  Register(name + "/tokenusage", kMessageCount,
           pass([](const SeedMessage& message, std::string* out) {
             return AppendJsonLine(message, out).ok();
           }));
  Register(name + "/limit", kMessageCount,
           pass([](const SeedMessage& message, std::string* out) {
             YardstickAppend(message, out);
             out->push_back('\n');
             return true;
           }));
}

void RegisterInsideAResponse(const std::string& name) {
  const std::string& response = DocumentsOf(DataSet::kMoney).response;
  auto message = std::make_shared<SeedMessage>();
  auto simdjson_parser = std::make_shared<parser>();
  const Pass ours = [&response, message] {
    return std::size_t{ParseJsonAt(response, "usage", message.get()).ok()};
  };
  const Pass simdjson = [&response, message, simdjson_parser] {
    message->Clear();
    return std::size_t{
        SimdjsonParseUsage(simdjson_parser.get(), response, message.get())};
  };
  Register(name + "/tokenusage", 1, ours);
  Register(name + "/simdjson", 1, simdjson);
  Register(name + ", portable/tokenusage", 1,
           OnPath(json_internal::PathChoice::kPortable, ours));
  Register(name + ", portable/simdjson", 1, simdjson);
}

// Collects the times per item and prints a table of medians at the end.
class TableReporter : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }

  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      // None where the run was skipped: versions of Google Benchmark differ in
      // how they say that.
      const auto rate = run.counters.find("items_per_second");
      if (rate == run.counters.end() || run.run_type != Run::RT_Iteration) {
        continue;
      }
      const std::string name = run.run_name.function_name;
      const std::size_t slash = name.rfind('/');
      samples_[name.substr(0, slash)][name.substr(slash + 1)].push_back(
          1e9 / rate->second);
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

  tokenusage::RegisterReads("money", DataSet::kMoney);
  tokenusage::RegisterReads("ints", DataSet::kInts);
  tokenusage::RegisterReads("full", DataSet::kFull);
  tokenusage::RegisterReads("pretty", DataSet::kPretty);
  tokenusage::RegisterReads("shuffled", DataSet::kShuffled);
  tokenusage::RegisterReadLines("money", DataSet::kMoney);
  tokenusage::RegisterReadLines("ints", DataSet::kInts);
  tokenusage::RegisterWrites("money", DataSet::kMoney);
  tokenusage::RegisterWrites("ints", DataSet::kInts);
  tokenusage::RegisterWrites("full", DataSet::kFull);
  tokenusage::RegisterWriteLines("money", DataSet::kMoney);
  tokenusage::RegisterInsideAResponse("read, inside a 1 MB response");
  tokenusage::TableReporter reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
  return 0;
}
