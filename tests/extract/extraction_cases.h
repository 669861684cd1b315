// SPDX-License-Identifier: Apache-2.0

// Runs cases of extraction.
//
//   const auto cases = ReadText<ExtractionCases>(path);
//   for (const ExtractionCase& c : cases.cases()) CheckCase(c);

#ifndef TOKENUSAGE_TESTS_EXTRACT_EXTRACTION_CASES_H_
#define TOKENUSAGE_TESTS_EXTRACT_EXTRACTION_CASES_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "google/protobuf/message.h"
#include "tests/extract/extraction_cases.pb.h"
#include "tokenusage/extract/usage_extractor.h"

namespace tokenusage::testing {

// Reads a message in text format. Fails the test if it cannot be read.
void ReadTextInto(const std::string& path,
                  ::google::protobuf::Message* message);
template <typename Message>
Message ReadText(const std::string& path) {
  Message message;
  ReadTextInto(path, &message);
  return message;
}

// Returns server-sent events with these data.
std::string AsServerSentEvents(const std::vector<std::string>& events);

// Extracts from a stream in chunks of `chunk_size` bytes, at least 1.
absl::StatusOr<Extraction> ExtractStream(const Dialect& dialect,
                                         std::string_view stream,
                                         std::size_t chunk_size);

// Returns an extraction as text, for comparisons.
std::string Describe(const absl::StatusOr<Extraction>& extraction);

// Checks that the case's response gives the expected result. Streams are given
// in several representations, and cut at each byte.
void CheckCase(const ExtractionCase& c);

}  // namespace tokenusage::testing

#endif  // TOKENUSAGE_TESTS_EXTRACT_EXTRACTION_CASES_H_
