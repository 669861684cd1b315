// SPDX-License-Identifier: Apache-2.0
//
// The error of a JSON document, or of a message that is to be written as one.
//
//   const std::optional<JsonError> error = GetJsonError(status);
//   if (error.has_value()) Log(error->field_path, error->line, error->column);

#ifndef TOKENUSAGE_JSON_JSON_ERROR_H_
#define TOKENUSAGE_JSON_JSON_ERROR_H_

#include <cstddef>
#include <optional>
#include <string>

#include "absl/status/status.h"

namespace tokenusage {

// The reason why a document was refused, or a message could not be written.
struct JsonError {
  enum class Kind {
    kSyntax,         // not RFC 8259 JSON, or not UTF-8
    kWrongType,      // a value of another JSON type than the field's
    kOutOfRange,     // a number, enum name, time or text that the field cannot
                     // hold
    kMissingField,   // a required member is not there, or a required field not
                     // set
    kNullValue,      // a required member is null
    kDuplicateName,  // a name occurs twice in one object, or two members of one
                     // oneof have values
    kUnknownField,   // strict mode: a member that the message does not declare
    kTooDeep,        // more than 100 levels of nesting
    kNotRepresentable  // writing: NaN, an infinity, text that is not UTF-8, an
                       // enum number without a name, a time beyond RFC 3339
  };

  Kind kind = Kind::kSyntax;
  // From the message's root: `input_tokens_details.text_tokens`, `items[2]` or
  // `labels["team"]`; empty at the root itself.
  std::string field_path;
  // The place in the document. Lines and columns count from 1, columns in
  // bytes; the offset in bytes from 0. All 0 for an error of writing.
  std::size_t line = 0;
  std::size_t column = 0;
  std::size_t byte_offset = 0;
  std::string expected;
  std::string found;
};

// Returns the error that a status of json.h carries; nullopt for any other
// status.
std::optional<JsonError> GetJsonError(const absl::Status& status);

// Returns INVALID_ARGUMENT with the error in words, and the error itself for
// GetJsonError. No part of the error may hold a line feed.
absl::Status JsonErrorStatus(const JsonError& error);

}  // namespace tokenusage

#endif  // TOKENUSAGE_JSON_JSON_ERROR_H_
