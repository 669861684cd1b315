// The JSON form of usage messages, exactly as it is on the wire.
//
//   PostV2ProxyImagesEditsUsage usage;
//   absl::Status status = tokenusage::ParseJson(body, &usage);
//   if (!status.ok()) return status;  // says which field, and where
//   absl::StatusOr<std::string> json = tokenusage::WriteJson(usage);
//
// The rules are in docs/json.md. In short: names are the wire's own; what the
// schema marks with (tokenusage.v1.required) must be there, and null is not a
// value; the grammar is RFC 8259 and nothing more; numbers are correctly
// rounded in, and the shortest decimal that reads back out; an error leaves the
// message as it was.

#ifndef TOKENUSAGE_JSON_JSON_H_
#define TOKENUSAGE_JSON_JSON_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/message.h"

namespace tokenusage {

struct JsonParseOptions {
  // Refuse members that the message does not declare. By default they are
  // ignored, but must be valid JSON.
  bool strict = false;
};

// Why a document was refused, or a message could not be written.
struct JsonError {
  enum class Kind {
    kSyntax,         // not RFC 8259 JSON, or not UTF-8
    kWrongType,      // a value of another JSON type than the field's
    kOutOfRange,     // a number, enum name, time or text that the field cannot
                     // hold
    kMissingField,   // a required member is not there, or a required field not
                     // set
    kNullValue,      // a required member is null
    kDuplicateName,  // a name occurs twice in one object
    kUnknownField,   // strict mode: a member that the message does not declare
    kTooDeep,        // nesting deeper than 100
    kNotRepresentable  // writing: NaN, an infinity, or text that is not UTF-8
  };

  Kind kind = Kind::kSyntax;
  // From the message's root, as "input_tokens_details.text_tokens"; empty at
  // the root itself.
  std::string field_path;
  // The place in the document. Lines and columns count from 1, columns in
  // bytes; the offset in bytes from 0. All 0 for an error of writing.
  std::size_t line = 0;
  std::size_t column = 0;
  std::size_t byte_offset = 0;
  std::string expected;
  std::string found;
};

// What an error status of this header carries as data; empty for other
// statuses.
std::optional<JsonError> GetJsonError(const absl::Status& status);

// Replaces `message` with what `json` holds: one JSON object in UTF-8.
//
// On an error `message` is unchanged and the status is INVALID_ARGUMENT, with a
// JsonError and a message such as: input_tokens_details.text_tokens: expected a
// number, found string "abc" (line 3, column 18). The first error of the
// document wins. Thread-safe for distinct messages.
absl::Status ParseJson(std::string_view json,
                       google::protobuf::Message* message,
                       const JsonParseOptions& options = {});

// Replaces `message` with the object found under `path` in a larger document:
// member names joined by dots, as "usage" or "response.usage". The rest of the
// document is checked, and ignored. Errors as of ParseJson; places are those in
// the whole document. A path that is not there is kMissingField.
absl::Status ParseJsonAt(std::string_view json, std::string_view path,
                         google::protobuf::Message* message,
                         const JsonParseOptions& options = {});

// Appends the message's JSON to `out`: one line, no spaces, members in
// declaration order. Where a required field is not set, or a number is NaN or
// infinite, nothing is appended and the status is INVALID_ARGUMENT with a
// JsonError. Thread-safe.
absl::Status AppendJson(const google::protobuf::Message& message,
                        std::string* out);

// The message's JSON.
absl::StatusOr<std::string> WriteJson(const google::protobuf::Message& message);

}  // namespace tokenusage

#endif  // TOKENUSAGE_JSON_JSON_H_
