// SPDX-License-Identifier: Apache-2.0
//
// The documents and messages that the benchmarks work on.

#ifndef TOKENUSAGE_TESTS_BENCHMARK_JSON_SEED_DOCUMENTS_H_
#define TOKENUSAGE_TESTS_BENCHMARK_JSON_SEED_DOCUMENTS_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "tokenusage/orq/v2/images.pb.h"

namespace tokenusage {

using SeedMessage = orq::v2::PostV2ProxyImagesEditsUsage;

// With fewer, the branch predictor memorizes the data and everything looks
// faster than it is.
inline constexpr std::size_t kSeedCount = 16384;

// Bytes after each document that may be read, as simdjson requires, too.
inline constexpr std::size_t kPadding = 64;

enum class SeedSet {
  kMoney,     // numbers with two decimals
  kInts,      // whole numbers of three to five digits
  kFull,      // doubles of seventeen digits
  kPretty,    // kMoney, indented over several lines
  kShuffled,  // kMoney, the members of each object in random order
};

// One message per document. Each document lies in a string with kPadding more
// bytes of capacity, all zero.
struct SeedDocuments {
  std::vector<SeedMessage> messages;
  std::vector<std::string> json;
  std::string lines;     // the same documents as JSON Lines
  std::string response;  // one of them as "usage" after a megabyte of base64
};

// Returns the same documents for a set in every run.
SeedDocuments MakeSeedDocuments(SeedSet set);

}  // namespace tokenusage

#endif  // TOKENUSAGE_TESTS_BENCHMARK_JSON_SEED_DOCUMENTS_H_
