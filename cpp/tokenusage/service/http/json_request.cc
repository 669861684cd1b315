// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/http/json_request.h"

#include "absl/strings/str_cat.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/json/json.h"
#include "tokenusage/rpc/error_info.h"
#include "tokenusage/service/rpc/gzip.h"
#include "tokenusage/service/rpc/request_checks.h"

namespace tokenusage {
namespace {

// The most bytes of JSON for each byte of the binary encoding.
constexpr std::size_t kBytesPerByte = 2;

// The elements of a request of this size take little memory, however many there
// are.
constexpr std::size_t kSmallBytes = 128 << 10;

// Returns the position after the string that starts at `at`.
std::size_t EndOfString(std::string_view json, std::size_t at) {
  for (++at; at < json.size(); ++at) {
    if (json[at] == '\\') {
      ++at;
    } else if (json[at] == '"') {
      return at + 1;
    }
  }
  return json.size();
}

// Returns whether the text between a name's quotation marks may be the field's
// name. The JSON mapping also reads lowerCamelCase.
bool MayBe(std::string_view name,
           const ::google::protobuf::FieldDescriptor& field) {
  return name == field.name() || name == field.camelcase_name() ||
         name.find('\\') != name.npos;
}

}  // namespace

absl::Status JsonRequest::Unpack(std::size_t max_bytes) {
  max_bytes_ = max_bytes;
  max_bytes *= kBytesPerByte;
  if (std::exchange(is_compressed_, false)) {
    GzipReader reader(max_bytes);
    TOKENUSAGE_RETURN_IF_ERROR(reader.Add(body_));
    TOKENUSAGE_ASSIGN_OR_RETURN(body_, reader.Finish());
  }
  return body_.size() <= max_bytes
             ? absl::OkStatus()
             : RequestTooLargeError(max_bytes, body_.size());
}

int JsonRequest::CountElements(
    const ::google::protobuf::FieldDescriptor& field) const {
  return body_.size() <= kSmallBytes ? 0 : CountJsonElements(body_, field);
}

absl::Status JsonRequest::Parse(::google::protobuf::Message* message) const {
  JsonParseOptions options;
  options.strict = true;
  const absl::Status status = ParseJson(body_, message, options);
  if (!status.ok()) {
    return ErrorWithInfo(absl::StatusCode::kInvalidArgument,
                         "REQUEST_MALFORMED",
                         absl::StrCat("the request: ", status.message(),
                                      "; nothing was stored"));
  }
  const std::size_t bytes = message->ByteSizeLong();
  return bytes <= max_bytes_ ? absl::OkStatus()
                             : RequestTooLargeError(max_bytes_, bytes);
}

int CountJsonElements(std::string_view json,
                      const ::google::protobuf::FieldDescriptor& field) {
  int count = 0;
  int depth = 0;
  std::string_view name;    // the last string in the outermost object
  bool is_counted = false;  // the array in the outermost object
  for (std::size_t at = 0; at < json.size(); ++at) {
    switch (json[at]) {
      case '"': {
        const std::size_t end = EndOfString(json, at);
        if (depth == 1) name = json.substr(at + 1, end - at - 2);
        at = end - 1;
        break;
      }
      case '[':
      case '{':
        if (++depth == 2) {
          is_counted = MayBe(name, field);
          count += is_counted;
        }
        break;
      case ']':
      case '}':
        --depth;
        break;
      case ',':
        count += depth == 2 && is_counted;
        break;
      default:
        break;
    }
  }
  return count;
}

}  // namespace tokenusage
