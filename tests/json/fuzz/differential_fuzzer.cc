// Reads any bytes with the reader and with the reference reader: both accept or
// both refuse, with the same message or the same error at the same place.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "google/protobuf/message.h"
#include "tests/fuzzing/fuzz_target.h"
#include "tests/json/fuzz/document_input.h"
#include "tests/json/fuzz/error_check.h"
#include "tests/json/fuzz/error_names.h"
#include "tests/json/fuzz/reference_reader.h"
#include "tests/json/messages.h"
#include "tokenusage/json/json.h"

namespace tokenusage {
namespace testing {
namespace {

using google::protobuf::Message;

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

void Compare(const DocumentInput& input, const Message& prototype) {
  const std::unique_ptr<Message> message(prototype.New());
  const std::unique_ptr<Message> expected(prototype.New());
  JsonParseOptions options;
  options.strict = input.strict;
  const absl::Status status =
      ParseJsonAt(input.json, input.path, message.get(), options);
  ReferenceOptions reference_options;
  reference_options.strict = input.strict;
  reference_options.path = input.path;
  const std::optional<ReferenceError> error =
      ReferenceRead(input.json, reference_options, expected.get());
  const std::string both =
      "reader: " + status.ToString() + "\nreference: " + Describe(error);
  if (status.ok() == error.has_value()) FuzzFail(both);
  if (!error.has_value()) {
    if (Bits(*message) == Bits(*expected)) return;
    FuzzFail("reader:\n" + message->DebugString() + "reference:\n" +
             expected->DebugString());
  }
  if (!IsSame(CheckedReadError(status, input.json), *error)) FuzzFail(both);
}

}  // namespace

std::vector<std::string> SeedInputs() { return GoldenInputs(); }

}  // namespace testing
}  // namespace tokenusage

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  using tokenusage::testing::AsText;
  const auto input = tokenusage::testing::ReadDocumentInput(AsText(data, size));
  for (const google::protobuf::Message* prototype : input.prototypes) {
    tokenusage::testing::Compare(input, *prototype);
  }
  return 0;
}
