// SPDX-License-Identifier: Apache-2.0
//
// A yardstick, not a product: what a parser and a writer of one message can
// reach when they know its exact shape. They exist to be compared with.
//
// The parser takes the seed message only as our writer writes it (members in
// order, no spaces, plain decimals); it validates what it reads, and fails on
// all else.

#ifndef TOKENUSAGE_TESTS_BENCHMARK_JSON_YARDSTICK_H_
#define TOKENUSAGE_TESTS_BENCHMARK_JSON_YARDSTICK_H_

#include <cstddef>
#include <string>

#include "tests/benchmark/json/seed_documents.h"

namespace tokenusage {

// Reads `json`, after which kPadding more bytes must be readable.
bool YardstickParse(const char* json, std::size_t size, SeedMessage* message);

// Appends the message's JSON; all fields must be set and finite.
void YardstickAppend(const SeedMessage& message, std::string* out);

}  // namespace tokenusage

#endif  // TOKENUSAGE_TESTS_BENCHMARK_JSON_YARDSTICK_H_
