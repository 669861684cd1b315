// SPDX-License-Identifier: Apache-2.0

#include "tests/json/fuzz/reference_check.h"

#include <memory>

#include "absl/strings/escaping.h"
#include "google/protobuf/message.h"
#include "tests/json/error_names.h"
#include "tests/json/fuzz/error_check.h"
#include "tests/json/fuzz/reading_ways.h"
#include "tests/json/messages.h"
#include "tests/support/fuzzing/fuzz_target.h"
#include "tokenusage/json/json_error.h"

namespace tokenusage {
namespace testing {
namespace {

using ::google::protobuf::Message;

std::string Describe(const std::optional<ReferenceError>& error) {
  if (!error.has_value()) return "accepted";
  return ErrorKindName(error->kind) + " at " + std::to_string(error->offset) +
         ", path " + error->field_path.value_or("any");
}

bool IsSame(const JsonError& error, const ReferenceError& expected) {
  return error.kind == expected.kind && error.byte_offset == expected.offset &&
         (!expected.field_path.has_value() ||
          error.field_path == *expected.field_path);
}

}  // namespace

void CheckAgainstReference(const DocumentInput& input) {
  const std::unique_ptr<Message> expected(input.prototypes.front()->New());
  ReferenceOptions options;
  options.strict = input.strict;
  options.path = input.path;
  const std::optional<ReferenceError> error =
      ReferenceRead(input.json, options, expected.get());
  const std::string bits = Bits(*expected);
  ReadInEveryWay(
      input, [](Message* message) { message->Clear(); },
      [&](const std::string& way, const absl::Status& status,
          const Message& message) {
        CheckSameOutcome(way, input.json, status, error);
        if (!status.ok()) {
          CheckedReadError(status, input.json);
        } else if (Bits(message) != bits) {
          FuzzFail(way + ":\n" + message.DebugString() + "reference:\n" +
                   expected->DebugString());
        }
      });
}

void CheckSameOutcome(const std::string& way, std::string_view json,
                      const absl::Status& status,
                      const std::optional<ReferenceError>& expected) {
  const std::optional<JsonError> error = GetJsonError(status);
  const bool same = expected.has_value()
                        ? error.has_value() && IsSame(*error, *expected)
                        : status.ok();
  if (same) return;
  FuzzFail(way + ": " + status.ToString() +
           "\nreference: " + Describe(expected) +
           "\ndocument: " + absl::CEscape({json.data(), json.size()}));
}

}  // namespace testing
}  // namespace tokenusage
