// SPDX-License-Identifier: Apache-2.0

#include "tests/json/fuzz/write_check.h"

#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "tests/json/fuzz/error_check.h"
#include "tests/json/fuzz/reading_ways.h"
#include "tests/json/fuzz/reference_reader.h"
#include "tests/json/fuzz/reference_writer.h"
#include "tests/json/messages.h"
#include "tests/support/fuzzing/fuzz_target.h"
#include "tokenusage/json/json.h"

namespace tokenusage {
namespace testing {
namespace {

using ::google::protobuf::Message;

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

// Checks that the message is written as `expected`, or refused.
void CheckWrite(const Message& message,
                const std::optional<std::string>& expected,
                const std::string& engine) {
  std::string json = "before";
  const absl::Status status = AppendJson(message, &json);
  if (status.ok() != expected.has_value()) {
    FuzzFail(engine + ": " + status.ToString() +
             "\nreference: " + expected.value_or("refused"));
  }
  std::string line = "before";
  const absl::Status line_status = AppendJsonLine(message, &line);
  if (line_status != status || line != json + (status.ok() ? "\n" : "")) {
    FuzzFail(engine + ": as a line: " + line);
  }
  if (!status.ok()) return CheckRefused(status, json);
  if (json != "before" + *expected) {
    FuzzFail(engine + ": " + json + "\nreference: " + *expected);
  }
  CheckReadsBack(message, *expected);
}

}  // namespace

void CheckAgainstReferenceWriter(
    const std::vector<const Message*>& prototypes,
    const std::function<void(Message* message)>& fill) {
  const std::unique_ptr<Message> message(prototypes.front()->New());
  fill(message.get());
  const std::optional<std::string> expected = ReferenceWrite(*message);
  OnEveryEngine(prototypes,
                [&](const std::string& engine, const Message& prototype) {
                  const std::unique_ptr<Message> same(prototype.New());
                  fill(same.get());
                  CheckWrite(*same, expected, engine);
                });
}

}  // namespace testing
}  // namespace tokenusage
