// SPDX-License-Identifier: Apache-2.0
//
// A JSON document as a tree, for tests. Plain rather than fast: every value is
// kept, numbers as they are spelled.
//
// If a document is not JSON, the tree holds what comes before its first syntax
// error. Code that walks the tree in order reaches the error where the document
// has it.

#ifndef TOKENUSAGE_TESTS_JSON_FUZZ_DOCUMENT_H_
#define TOKENUSAGE_TESTS_JSON_FUZZ_DOCUMENT_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tokenusage/json/json_error.h"

namespace tokenusage {
namespace testing {

struct DocumentMember;

struct DocumentValue {
  enum class Type { kNull, kTrue, kFalse, kNumber, kString, kArray, kObject };

  Type type = Type::kNull;  // known from the first byte on
  std::size_t begin = 0;    // the offset of its first byte
  std::size_t end = 0;      // past its last byte, if complete
  bool complete = false;    // false: the syntax error is in it
  std::string text;         // a number as spelled; a string without escapes
  std::vector<DocumentValue> elements;
  std::vector<DocumentMember> members;
};

struct DocumentMember {
  std::string name;  // without escapes
  std::size_t name_begin = 0;
  bool has_colon = false;
  std::optional<DocumentValue> value;  // empty: the syntax error is before it
};

// The first byte at which a document is not JSON, or nests more than 100 deep.
struct SyntaxError {
  JsonError::Kind kind;  // kSyntax or kTooDeep
  std::size_t offset;
};

struct Document {
  std::optional<DocumentValue> root;
  std::optional<SyntaxError> syntax_error;  // the first one
};

// Returns the tree of `json`, whose root may be a value of any type. `root` is
// empty if the syntax error is before the first value.
Document ReadDocument(std::string_view json);

// Returns whether `text` is one number of JSON's grammar and nothing else.
bool IsJsonNumber(std::string_view text);

}  // namespace testing
}  // namespace tokenusage

#endif  // TOKENUSAGE_TESTS_JSON_FUZZ_DOCUMENT_H_
