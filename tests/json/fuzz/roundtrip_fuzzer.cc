// Writes a message made of the input: as the reference writer does, byte for
// byte, or refused where that refuses; and what was written is read back by
// both readers, bit for bit.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "google/protobuf/message.h"
#include "tests/fuzzing/byte_source.h"
#include "tests/fuzzing/fuzz_target.h"
#include "tests/json/fuzz/document_input.h"
#include "tests/json/fuzz/error_check.h"
#include "tests/json/fuzz/random_message.h"
#include "tests/json/fuzz/reading_ways.h"
#include "tests/json/fuzz/reference_reader.h"
#include "tests/json/fuzz/reference_writer.h"
#include "tests/json/messages.h"
#include "tokenusage/json/json.h"

namespace tokenusage {
namespace testing {
namespace {

using google::protobuf::Message;

void CheckRefused(const absl::Status& status, const std::string& json) {
  const JsonError error = CheckedWriteError(status);
  if (error.kind != JsonError::Kind::kMissingField &&
      error.kind != JsonError::Kind::kNotRepresentable &&
      error.kind != JsonError::Kind::kTooDeep) {
    FuzzFail("an error of reading: " + status.ToString());
  }
  if (json != "before") FuzzFail("an error wrote something: " + json);
}

void CheckReadsBack(const Message& message, const std::string& json) {
  const std::unique_ptr<Message> read(message.New());
  JsonParseOptions strict;
  strict.strict = true;
  const absl::Status status = ParseJson(json, read.get(), strict);
  if (!status.ok()) {
    FuzzFail("refuses what it wrote: " + status.ToString() + "\n" + json);
  }
  if (Bits(*read) != Bits(message)) FuzzFail("reads back otherwise: " + json);
  if (WriteJson(*read).value_or("") != json) {
    FuzzFail("writes otherwise again: " + json);
  }
  if (ReferenceRead(json, {true, ""}, read.get()).has_value() ||
      Bits(*read) != Bits(message)) {
    FuzzFail("the reference reader reads back otherwise: " + json);
  }
}

// That the message is written as `expected`, or not at all.
void CheckWrite(const Message& message,
                const std::optional<std::string>& expected,
                const std::string& path) {
  std::string json = "before";
  const absl::Status status = AppendJson(message, &json);
  if (status.ok() != expected.has_value()) {
    FuzzFail(path + ": " + status.ToString() +
             "\nreference: " + expected.value_or("refused"));
  }
  std::string line = "before";
  const absl::Status line_status = AppendJsonLine(message, &line);
  if (line_status != status || line != json + (status.ok() ? "\n" : "")) {
    FuzzFail(path + ": as a line: " + line);
  }
  if (!status.ok()) return CheckRefused(status, json);
  if (json != "before" + *expected) {
    FuzzFail(path + ": " + json + "\nreference: " + *expected);
  }
  CheckReadsBack(message, *expected);
}

}  // namespace

std::vector<std::string> SeedInputs() {
  std::mt19937_64 random(1);
  std::vector<std::string> inputs;
  for (std::size_t i = 0; i < 8 * FuzzedTypes().size(); ++i) {
    std::string input(1, static_cast<char>('A' + i % FuzzedTypes().size()));
    for (std::size_t size = random() % 120; size > 0; --size) {
      input += static_cast<char>(static_cast<unsigned char>(random() % 256));
    }
    inputs.push_back(input);
  }
  return inputs;
}

}  // namespace testing
}  // namespace tokenusage

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  namespace testing = tokenusage::testing;
  testing::ByteSource bytes(testing::AsText(data, size));
  const std::size_t type = static_cast<std::size_t>(bytes.Byte() + 256 - 'A') %
                           testing::FuzzedTypes().size();
  const auto& prototypes = testing::PrototypesOf(type);
  std::optional<std::string> expected;
  testing::OnEveryPath(
      prototypes,
      [&](const std::string& path, const google::protobuf::Message& prototype) {
        testing::ByteSource rest = bytes;
        const std::unique_ptr<google::protobuf::Message> message(
            prototype.New());
        testing::FillMessage(&rest, message.get());
        if (path == "fastest") expected = testing::ReferenceWrite(*message);
        testing::CheckWrite(*message, expected, path);
      });
  return 0;
}
