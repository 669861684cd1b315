// SPDX-License-Identifier: Apache-2.0
//
// Another reader of the JSON mapping, for tests: slow, plain, and written from
// docs/json.md without the code of cpp/tokenusage/json. The fuzzers compare the
// two. If the rules leave open which error comes first, these decide:
//
// - An array or an object in the place of something else is a wrong type at its
//   bracket, before its content is looked at.
// - A name is compared once its colon has been seen.
// - A second member of a oneof is one as soon as its value's first byte shows
//   that it is not null.
// - An escape of half a surrogate pair is judged once a \u after it is
//   complete.

#ifndef TOKENUSAGE_TESTS_JSON_FUZZ_REFERENCE_READER_H_
#define TOKENUSAGE_TESTS_JSON_FUZZ_REFERENCE_READER_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "google/protobuf/message.h"
#include "tokenusage/json/json_error.h"

namespace tokenusage {
namespace testing {

// An error of the reference reader: the parts of JsonError that the rules
// settle.
struct ReferenceError {
  JsonError::Kind kind = JsonError::Kind::kSyntax;
  std::size_t offset = 0;
  // As JsonError's. Empty if the rules do not settle it: for kSyntax and
  // kTooDeep, and if a name or a map's key would be escaped or cut.
  std::optional<std::string> field_path;
};

struct ReferenceOptions {
  bool strict = false;
  // Reads the object at this path, as ParseJsonAt does.
  std::string_view path;
};

// Replaces `message` with the content of `json`. Returns the first error, or
// nullopt if there is none. After an error, `message` may hold anything.
std::optional<ReferenceError> ReferenceRead(
    std::string_view json, const ReferenceOptions& options,
    ::google::protobuf::Message* message);

}  // namespace testing
}  // namespace tokenusage

#endif  // TOKENUSAGE_TESTS_JSON_FUZZ_REFERENCE_READER_H_
