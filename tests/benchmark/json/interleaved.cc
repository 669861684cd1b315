// SPDX-License-Identifier: Apache-2.0

#include "tests/benchmark/json/interleaved.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string_view>
#include <utility>

namespace tokenusage {
namespace {

// Returns the value of the flag, or `value` if it is not there.
std::string Flag(int argc, char** argv, std::string_view flag,
                 std::string value) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument.substr(0, flag.size()) == flag) {
      value = argument.substr(flag.size());
    }
  }
  return value;
}

}  // namespace

Interleaved::Interleaved(int argc, char** argv)
    : rows_(Flag(argc, argv, "--rows=", "")),
      only_(Flag(argc, argv, "--contender=", "")),
      rounds_(std::atoi(Flag(argc, argv, "--rounds=", "200").c_str())) {}

bool Interleaved::Wants(const std::string& row) const {
  return row.find(rows_) != std::string::npos;
}

void Interleaved::Add(const std::string& row, const std::string& contender,
                      std::size_t items, Pass pass,
                      std::function<void()> prepare) {
  if (!Wants(row) || (!only_.empty() && contender != only_)) return;
  contenders_.push_back(
      {row, contender, items, std::move(pass), std::move(prepare)});
}

bool Interleaved::Warm() {
  bool good = true;
  for (const Contender& contender : contenders_) {
    if (contender.pass() == contender.items) continue;
    std::fprintf(stderr, "%s, %s: not every item succeeded\n",
                 contender.row.c_str(), contender.name.c_str());
    good = false;
  }
  return good;
}

void Interleaved::Measure() {
  std::mt19937 random(1);
  std::vector<Contender*> order;
  for (Contender& contender : contenders_) order.push_back(&contender);
  for (int round = 0; round < rounds_; ++round) {
    std::shuffle(order.begin(), order.end(), random);
    for (Contender* contender : order) {
      if (contender->prepare) contender->prepare();
      const auto start = std::chrono::steady_clock::now();
      contender->pass();
      const std::chrono::duration<double, std::nano> elapsed =
          std::chrono::steady_clock::now() - start;
      contender->least_nanos =
          std::min(contender->least_nanos,
                   elapsed.count() / static_cast<double>(contender->items));
    }
  }
}

void Interleaved::Print() const {
  std::string row;
  double first = 0;
  for (const Contender& contender : contenders_) {
    if (contender.row != row) {
      row = contender.row;
      first = contender.least_nanos;
      std::printf("%s| %s |", &contender == contenders_.data() ? "" : "\n",
                  row.c_str());
    }
    std::printf(" %s %.1f (%.2f) |", contender.name.c_str(),
                contender.least_nanos, first / contender.least_nanos);
  }
  std::printf("\n");
}

int Interleaved::Run() {
  if (!Warm()) return 1;
  Measure();
  Print();
  return 0;
}

}  // namespace tokenusage
