// SPDX-License-Identifier: Apache-2.0
//
// A rule that a document or a message breaks, as the reader and the writer
// report it; it becomes a JsonError at the end.

#ifndef TOKENUSAGE_JSON_INTERNAL_VIOLATION_H_
#define TOKENUSAGE_JSON_INTERNAL_VIOLATION_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "tokenusage/json/json_error.h"

namespace tokenusage {
namespace json_internal {

// One step of a field path.
struct PathStep {
  enum class Kind {
    kField,  // a name that the schema knows: text
    kIndex,  // an array's element: index
    kKey     // a map's key, which comes from the input: text
  };

  static PathStep Field(std::string_view name);
  static PathStep Index(std::size_t index);
  static PathStep Key(std::string_view key);

  Kind kind = Kind::kField;
  std::size_t index = 0;
  std::string text;
};

struct Violation {
  JsonError::Kind kind = JsonError::Kind::kSyntax;
  std::size_t offset = 0;
  std::string expected;

  // Says whether `input`, a piece of the document, follows the words in
  // `found`, and whether in quotes.
  enum class Input { kNone, kPlain, kQuoted };
  std::string found;
  Input input_kind = Input::kNone;
  std::string input;

  // Innermost step first: each caller adds its own on the way out.
  std::vector<PathStep> path;
};

// Describes a violation of reading. The error repeats at most kExcerptMaxChars
// characters of the input in all, those in the path counted. `document` gives
// line and column.
JsonError DescribeReadViolation(const Violation& violation,
                                std::string_view document);

// Describes a violation of writing, which has no place in a document.
JsonError DescribeWriteViolation(const Violation& violation);

}  // namespace json_internal
}  // namespace tokenusage

#endif  // TOKENUSAGE_JSON_INTERNAL_VIOLATION_H_
