// Reads any bytes: no crash; an error is well formed and leaves the message
// alone; a message that was read is written, and reads back as it is.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "google/protobuf/message.h"
#include "tests/fuzzing/fuzz_target.h"
#include "tests/json/fuzz/document_input.h"
#include "tests/json/fuzz/error_check.h"
#include "tests/json/messages.h"
#include "tokenusage/json/json.h"

namespace tokenusage {
namespace testing {
namespace {

using google::protobuf::Message;

std::string Written(const Message& message) {
  const absl::StatusOr<std::string> json = WriteJson(message);
  if (!json.ok()) {
    FuzzFail("a message that was read is not written: " +
             json.status().ToString());
  }
  return *json;
}

void CheckReadsBack(const Message& message) {
  const std::string json = Written(message);
  const std::unique_ptr<Message> again(message.New());
  JsonParseOptions strict;
  strict.strict = true;
  const absl::Status status = ParseJson(json, again.get(), strict);
  if (!status.ok()) {
    FuzzFail("refuses what it wrote: " + status.ToString() + "\n" + json);
  }
  if (Bits(*again) != Bits(message)) FuzzFail("reads back otherwise: " + json);
  if (Written(*again) != json) FuzzFail("writes otherwise again: " + json);
}

// A message that holds something, to see whether it stays.
std::unique_ptr<Message> NewTarget(const Message& prototype) {
  std::unique_ptr<Message> message(prototype.New());
  const google::protobuf::FieldDescriptor& field =
      *message->GetDescriptor()->field(0);
  const google::protobuf::Reflection& reflection = *message->GetReflection();
  if (field.cpp_type() != field.CPPTYPE_DOUBLE) return message;
  if (field.is_repeated()) {
    reflection.AddDouble(message.get(), &field, 4711);
  } else {
    reflection.SetDouble(message.get(), &field, 4711);
  }
  return message;
}

void CheckRead(const DocumentInput& input, const Message& prototype) {
  const std::unique_ptr<Message> message = NewTarget(prototype);
  const std::string before = Bits(*message);
  JsonParseOptions options;
  options.strict = input.strict;
  const absl::Status status =
      input.path.empty()
          ? ParseJson(input.json, message.get(), options)
          : ParseJsonAt(input.json, input.path, message.get(), options);
  if (status.ok()) return CheckReadsBack(*message);
  CheckedReadError(status, input.json);
  if (Bits(*message) != before) FuzzFail("an error changed the message");
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
    tokenusage::testing::CheckRead(input, *prototype);
  }
  return 0;
}
