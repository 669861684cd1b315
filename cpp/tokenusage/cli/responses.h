// SPDX-License-Identifier: Apache-2.0

// Reads files of providers' responses.
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
  // The line where the response starts, or where a stream is malformed. 0 if
  // the whole file is one response.
  std::int64_t line_number;
  absl::StatusOr<Extraction> extraction;
};

// Finds a dialect by its name. Errors: INVALID_ARGUMENT, naming --dialect.
absl::StatusOr<const Dialect*> GetDialect(const std::string& name);

using ResponseVisitor = std::function<absl::Status(const Response& response)>;

// Calls `visit` for each response in a file, which may be one JSON document, a
// response a line, or the events of streams that state their ends. Stops at the
// first error that `visit` returns, and returns it.
//
// Errors: INVALID_ARGUMENT, naming the file, if it cannot be read or a line is
// longer than 256 MiB.
absl::Status ReadResponses(const Dialect& dialect, Input* input,
                           const ResponseVisitor& visit);

using DocumentVisitor = std::function<absl::Status(const std::string& json,
                                                   std::int64_t line_number)>;

// Calls `visit` for each JSON document in a file. Each line is a document,
// unless the first line is only the beginning of one: then the whole file is,
// with line number 0. Errors are those of ReadResponses.
absl::Status ReadDocuments(Input* input, const DocumentVisitor& visit);

// Returns a remark for the user: that the usage is incomplete, or which member
// is missing. Empty if there is none.
std::string Remark(const Extraction& extraction);

// Returns `message` after the input's name and, unless it is 0, the line's
// number. Each line is parsed by itself, so "line 1" in the message is removed.
std::string DescribeIn(const std::string& input_name, std::int64_t line_number,
                       std::string_view message);

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLI_RESPONSES_H_
