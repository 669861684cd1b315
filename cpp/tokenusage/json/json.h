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

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/message.h"
#include "tokenusage/json/json_error.h"  // IWYU pragma: export

namespace tokenusage {

struct JsonParseOptions {
  // Refuse members that the message does not declare. By default they are
  // ignored, but must be valid JSON.
  bool strict = false;
};

// Replaces `message` with what `json` holds: one JSON object in UTF-8.
//
// On an error `message` is unchanged and the status is INVALID_ARGUMENT, with a
// JsonError and a message such as: input_tokens_details.text_tokens: expected a
// number, found string "abc" (line 3, column 18). The first error of the
// document wins. Where the message type itself cannot be mapped (docs/json.md
// says when), the status is FAILED_PRECONDITION and has no JsonError; this
// holds for all functions below. Thread-safe for distinct messages.
absl::Status ParseJson(std::string_view json,
                       google::protobuf::Message* message,
                       const JsonParseOptions& options = {});

// Replaces `message` with the object found under `path` in a larger document:
// member names joined by dots, as "usage" or "response.usage"; an empty path is
// the document itself. The rest of the document is checked, and ignored, but
// the path's own names must not occur twice. Errors as of ParseJson; places are
// those in the whole document. A path that is not there is kMissingField, one
// that leads to something else than an object kWrongType.
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
