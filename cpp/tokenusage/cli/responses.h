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
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tokenusage/cli/input.h"
#include "tokenusage/extract/usage_extractor.h"

namespace tokenusage {

// A response in a file.
struct Response {
  // Where it starts, or, of a stream, where it is bad. 0 if it is all of the
  // file.
  std::int64_t line_number;
  absl::StatusOr<Extraction> extraction;
};

// Finds a dialect by its name. Errors: INVALID_ARGUMENT, listing the names.
absl::StatusOr<const Dialect*> GetDialect(const std::string& name);

using ResponseVisitor = std::function<absl::Status(const Response& response)>;

// Calls `visit` for each response in a file, which may be one JSON document, a
// response a line, or the events of streams that state their ends. Stops at the
// first error that `visit` returns, and returns it.
//
// Errors: INVALID_ARGUMENT if the file cannot be read.
absl::Status ReadResponses(const Dialect& dialect, Input* input,
                           const ResponseVisitor& visit);

// Calls `visit` for each JSON document in a file: all of it, with line number
// 0, or one a line. As above. All of a file is one document if its first line
// is only the beginning of one.
absl::Status ReadDocuments(
    Input* input,
    const std::function<absl::Status(const std::string& json,
                                     std::int64_t line_number)>& visit);

// Returns what the usage does not show: that it is not all, or the member that
// the last one lacks. Empty if there is nothing to say.
std::string Remark(const Extraction& extraction);

// Returns the message behind its place: the input's name, and the line unless
// it is 0. A line's own errors are then in "line 1", which is left out.
std::string DescribeIn(const std::string& input_name, std::int64_t line_number,
                       std::string_view message);

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLI_RESPONSES_H_
