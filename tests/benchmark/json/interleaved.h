// SPDX-License-Identifier: Apache-2.0
//
// Measures contenders beside each other, so that whatever slows the machine
// down slows all of them down.
//
//   Interleaved race(argc, argv);
//   race.Add("read", "ours", 4096, [&] { return ParseAll(documents); });
//   race.Add("read", "simdjson", 4096, [&] { return SimdjsonAll(documents); });
//   return race.Run();

#ifndef TOKENUSAGE_TESTS_BENCHMARK_JSON_INTERLEAVED_H_
#define TOKENUSAGE_TESTS_BENCHMARK_JSON_INTERLEAVED_H_

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace tokenusage {

class Interleaved {
 public:
  // Works through a data set once; returns the number of items that succeeded.
  using Pass = std::function<std::size_t()>;

  // Flags: --rounds=N, --rows=SUBSTRING, --contender=NAME.
  Interleaved(int argc, char** argv);

  // Returns whether the flags ask for the row.
  bool Wants(const std::string& row) const;

  // Registers a contender in a row of the table. The first one added to a row
  // is the one that the others are compared with. `prepare` runs before each
  // pass and is not measured.
  void Add(const std::string& row, const std::string& contender,
           std::size_t items, Pass pass, std::function<void()> prepare = {});

  // Runs all passes in random order, many times, and prints the least time per
  // item of each, and in brackets the first contender's time divided by it.
  // Returns main's exit code: 1 if a pass did not succeed with every item.
  int Run();

 private:
  struct Contender {
    std::string row;
    std::string name;
    std::size_t items;
    Pass pass;
    std::function<void()> prepare;
    double least_nanos = 1e300;
  };

  bool Warm();
  void Measure();
  void Print() const;

  const std::string rows_;
  const std::string only_;
  const int rounds_;
  std::vector<Contender> contenders_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_TESTS_BENCHMARK_JSON_INTERLEAVED_H_
