// SPDX-License-Identifier: Apache-2.0
//
// Other libraries' way from JSON to the seed message and back, each as its
// users would write it for this message.

#ifndef TOKENUSAGE_TESTS_BENCHMARK_JSON_SEED_PEERS_H_
#define TOKENUSAGE_TESTS_BENCHMARK_JSON_SEED_PEERS_H_

#include <string>

#include "simdjson.h"
#include "tests/benchmark/json/seed_documents.h"

namespace tokenusage {

bool ProtobufParse(const std::string& json, SeedMessage* message);
bool ProtobufAppend(const SeedMessage& message, std::string* out);

bool RapidJsonParse(const std::string& json, SeedMessage* message);
bool RapidJsonAppend(const SeedMessage& message, std::string* out);

// `json` must have simdjson's padding in its capacity.
bool SimdjsonParse(simdjson::ondemand::parser* parser, const std::string& json,
                   SeedMessage* message);

// Reads all documents of JSON Lines. Returns their number.
int SimdjsonParseLines(simdjson::ondemand::parser* parser,
                       const std::string& lines, SeedMessage* message);

// Reads the object under "usage".
bool SimdjsonParseUsage(simdjson::ondemand::parser* parser,
                        const std::string& json, SeedMessage* message);

}  // namespace tokenusage

#endif  // TOKENUSAGE_TESTS_BENCHMARK_JSON_SEED_PEERS_H_
