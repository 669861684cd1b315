// SPDX-License-Identifier: Apache-2.0
//
// Reads any bytes in every way. Nothing crashes, and all ways have the same
// result. An error is well formed and does not change the message. A message
// that was read can be written, and reads back bit for bit.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "google/protobuf/message.h"
#include "tests/json/fuzz/document_input.h"
#include "tests/json/fuzz/error_check.h"
#include "tests/json/fuzz/random_message.h"
#include "tests/json/fuzz/reading_ways.h"
#include "tests/json/messages.h"
#include "tests/support/fuzzing/byte_source.h"
#include "tests/support/fuzzing/fuzz_target.h"
#include "tokenusage/json/json.h"

namespace tokenusage {
namespace testing {
namespace {

using ::google::protobuf::Message;

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

// Fills the message before a read, which must replace all fields or, on an
// error, keep them.
void Prepare(Message* message) {
  ByteSource bytes(
      "\xFF\xFF\xFF\xFF\x01\x02\x03\x04\x05\x06\x07\x02\x02\x02\x02\x02\x02"
      "\x02\x02\x02\x02\x02\x02\x02\x02\x02\x02\x02\x02\x02\x02\x02\x02");
  message->Clear();
  FillMessage(&bytes, message);
}

struct Result {
  std::string status;
  std::string bits;
};

void CheckAllWays(const DocumentInput& input) {
  const std::unique_ptr<Message> prepared(input.prototypes.front()->New());
  Prepare(prepared.get());
  const std::string before = Bits(*prepared);
  std::optional<Result> first;
  ReadInEveryWay(
      input, Prepare,
      [&](const std::string& way, const absl::Status& status,
          const Message& message) {
        const Result result = {status.ToString(), Bits(message)};
        if (!first.has_value()) {
          first = result;
          if (status.ok()) return CheckReadsBack(message);
          CheckedReadError(status, input.json);
        }
        if (!status.ok() && result.bits != before) {
          FuzzFail(way + ": an error changed the message");
        }
        if (result.status != first->status) {
          FuzzFail(way + ": " + result.status + "\nfirst: " + first->status);
        }
        if (result.bits != first->bits) {
          FuzzFail(way + ": another message:\n" + message.DebugString());
        }
      });
}

}  // namespace

std::vector<std::string> SeedInputs() { return GoldenInputs(); }

}  // namespace testing
}  // namespace tokenusage

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  namespace testing = tokenusage::testing;
  testing::CheckAllWays(
      testing::ReadDocumentInput(testing::AsText(data, size)));
  return 0;
}
