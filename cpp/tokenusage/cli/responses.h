// SPDX-License-Identifier: Apache-2.0

// Files of providers' responses.
//
//   status = ReadResponses(*dialect, &input, [](const Response& response) {
//     ... response.extraction ...
//   });

#ifndef TOKENUSAGE_CLI_RESPONSES_H_
#define TOKENUSAGE_CLI_RESPONSES_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tokenusage/cli/input.h"
#include "tokenusage/extract/usage_extractor.h"

namespace tokenusage {

// A response in a file.
struct Response {
  std::int64_t line_number;  // 0 if it is all of the file
  absl::StatusOr<Extraction> extraction;
};

// Finds a dialect by its name. Errors: INVALID_ARGUMENT, listing the names.
absl::StatusOr<const Dialect*> GetDialect(const std::string& name);

// Calls `visit` for each response in a file, which may be one JSON document, a
// response a line, or the events of one stream. Stops at the first error that
// `visit` returns, and returns it.
//
// Errors: INVALID_ARGUMENT if the file cannot be read.
absl::Status ReadResponses(
    const Dialect& dialect, Input* input,
    const std::function<absl::Status(const Response& response)>& visit);

// Calls `visit` for each JSON document in a file: all of it, with line number
// 0, or one a line. As above.
absl::Status ReadDocuments(
    Input* input,
    const std::function<absl::Status(const std::string& json,
                                     std::int64_t line_number)>& visit);

// Returns where an error is: the input's name, and the line unless it is 0.
std::string PlaceInInput(const Input& input, std::int64_t line_number);

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLI_RESPONSES_H_
