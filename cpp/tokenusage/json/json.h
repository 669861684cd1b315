// SPDX-License-Identifier: Apache-2.0
//
// Reads and writes messages as JSON, exactly as it is on the wire.
//
//   tokenusage::orq::v2::PostV2ProxyImagesEditsUsage usage;
//   absl::Status status = tokenusage::ParseJson(body, &usage);
//   if (!status.ok()) return status;  // says which field, and where
//   absl::StatusOr<std::string> json = tokenusage::WriteJson(usage);
//
// Any message can be read and written. Those of a cc_json_proto_library
// (//bazel:defs.bzl) are many times faster, by code that is generated from
// their .proto files: link that target, and the calls below find it.
//
// The rules are in docs/json.md. In short: names are the wire's own; what the
// schema marks with (tokenusage.v1.required) must be present and not null; the
// grammar is RFC 8259 and nothing more; numbers are correctly rounded when
// read, and written as the shortest decimal that reads back; an error leaves
// the message as it was.

#ifndef TOKENUSAGE_JSON_JSON_H_
#define TOKENUSAGE_JSON_JSON_H_

#include <cstddef>
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

// Replaces `message` with the contents of `json`, one JSON object in UTF-8.
//
// On an error `message` is unchanged and the status is INVALID_ARGUMENT, with a
// JsonError and a message such as: input_tokens_details.text_tokens: expected a
// number, found string "abc" (line 3, column 18). The first error of the
// document is reported. If the message type itself cannot be mapped
// (docs/json.md lists the reasons), the status is FAILED_PRECONDITION and has
// no JsonError; this holds for all functions below. Thread-safe for distinct
// messages.
absl::Status ParseJson(std::string_view json,
                       ::google::protobuf::Message* message,
                       const JsonParseOptions& options = {});

// Replaces `message` with the object found under `path` in a larger document:
// member names joined by dots, such as "usage" or "response.usage"; an empty
// path is the document itself. The rest of the document is checked, and
// ignored, but the path's own names must not occur twice. Errors are those of
// ParseJson; places are those in the whole document. If there is no member
// under the path, the kind is kMissingField; if it is null, kNullValue; if it
// is anything but an object, kWrongType. The field_path of these errors is the
// path up to the member in question.
absl::Status ParseJsonAt(std::string_view json, std::string_view path,
                         ::google::protobuf::Message* message,
                         const JsonParseOptions& options = {});

// Reads JSON Lines: a document in each line, lines ended by line feeds.
//
//   tokenusage::JsonLinesReader lines(text);
//   while (lines.Next(&usage)) {
//     if (!lines.status().ok()) return lines.status();  // or continue
//   }
//
// Not thread-safe.
class JsonLinesReader {
 public:
  // `text` must outlive the reader.
  explicit JsonLinesReader(std::string_view text,
                           const JsonParseOptions& options = {});

  // Reads the next line into `message`, as ParseJson would; status() is the
  // result, and a line that was refused leaves `message` unchanged. Skips lines
  // of white space. Returns false if no line is left; `message` is then
  // unchanged and status() OK.
  bool Next(::google::protobuf::Message* message);

  // Returns the result of the last call of Next. Places in errors are those in
  // the whole text.
  const absl::Status& status() const { return status_; }

  // Returns the number of the line that Next read last, from 1; 0 before the
  // first.
  std::size_t line_number() const { return line_number_; }

 private:
  const std::string_view text_;
  const JsonParseOptions options_;
  std::size_t position_ = 0;
  std::size_t line_number_ = 0;
  absl::Status status_;
};

// Appends the message's JSON to `out`: one line, no spaces, members in
// declaration order. If the message cannot be written (a required field is not
// set, a number is NaN, and so on: see docs/json.md), nothing is appended and
// the status is INVALID_ARGUMENT with a JsonError. Thread-safe.
absl::Status AppendJson(const ::google::protobuf::Message& message,
                        std::string* out);

// Appends the message's JSON and a line feed: one line of JSON Lines.
absl::Status AppendJsonLine(const ::google::protobuf::Message& message,
                            std::string* out);

// Returns the message's JSON.
absl::StatusOr<std::string> WriteJson(
    const ::google::protobuf::Message& message);

}  // namespace tokenusage

#endif  // TOKENUSAGE_JSON_JSON_H_
