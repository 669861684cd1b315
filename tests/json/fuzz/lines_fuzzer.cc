// SPDX-License-Identifier: Apache-2.0
//
// Reads any bytes as JSON Lines. The result of each line must be that of the
// reference reader.

#include <algorithm>
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
#include "tests/json/fuzz/reading_ways.h"
#include "tests/json/fuzz/reference_check.h"
#include "tests/json/fuzz/reference_reader.h"
#include "tests/json/messages.h"
#include "tests/support/fuzzing/fuzz_target.h"
#include "tokenusage/json/json.h"

namespace tokenusage {
namespace testing {
namespace {

using ::google::protobuf::Message;

struct Line {
  std::size_t number = 0;
  std::optional<ReferenceError> error;  // its place is in the whole text
  std::string bits;                     // of the message, if there is no error
};

std::vector<Line> ReferenceLines(const DocumentInput& input) {
  ReferenceOptions options;
  options.strict = input.strict;
  const std::unique_ptr<Message> message(input.prototypes.front()->New());
  std::vector<Line> lines;
  std::size_t begin = 0;
  for (std::size_t number = 1; begin <= input.json.size(); ++number) {
    const std::size_t end =
        std::min(input.json.find('\n', begin), input.json.size());
    const std::string_view text = input.json.substr(begin, end - begin);
    if (text.find_first_not_of(" \t\r") != std::string_view::npos) {
      Line line;
      line.number = number;
      line.error = ReferenceRead(text, options, message.get());
      if (line.error.has_value()) {
        line.error->offset += begin;
      } else {
        line.bits = Bits(*message);
      }
      lines.push_back(line);
    }
    begin = end + 1;
  }
  return lines;
}

void Compare(const DocumentInput& input, const std::vector<Line>& expected,
             const std::string& engine, const Message& prototype) {
  JsonParseOptions options;
  options.strict = input.strict;
  JsonLinesReader reader(input.json, options);
  const std::unique_ptr<Message> message(prototype.New());
  std::string bits;
  for (const Line& line : expected) {
    const std::string way = engine + ", line " + std::to_string(line.number);
    if (!reader.Next(message.get())) FuzzFail(way + ": not there");
    if (reader.line_number() != line.number) {
      FuzzFail(way + ": is " + std::to_string(reader.line_number()));
    }
    CheckSameOutcome(way, input.json, reader.status(), line.error);
    if (line.error.has_value()) {
      CheckedReadError(reader.status(), input.json);
    } else {
      bits = line.bits;
    }
    // A line that is refused leaves the message of the line before.
    if (Bits(*message) != bits) FuzzFail(way + ": " + message->DebugString());
  }
  if (reader.Next(message.get())) FuzzFail(engine + ": a line too many");
  if (!reader.status().ok() || Bits(*message) != bits) {
    FuzzFail(engine + ": something behind the last line");
  }
}

}  // namespace

// Returns an input for each golden document: the document in the first line and
// in the last, with an empty object and a line of white space between.
std::vector<std::string> SeedInputs() {
  std::vector<std::string> inputs;
  for (const std::string& golden : GoldenInputs()) {
    const std::string header = golden.substr(0, 2);
    std::string line = golden.substr(2);
    for (char& c : line) c = c == '\n' ? ' ' : c;
    inputs.push_back(header + line + "\n{}\r\n \n" + line);
  }
  return inputs;
}

}  // namespace testing
}  // namespace tokenusage

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  namespace testing = tokenusage::testing;
  const testing::DocumentInput input =
      testing::ReadDocumentInput(testing::AsText(data, size));
  const std::vector<testing::Line> expected = testing::ReferenceLines(input);
  testing::OnEveryEngine(input.prototypes,
                         [&](const std::string& engine,
                             const ::google::protobuf::Message& prototype) {
                           testing::Compare(input, expected, engine, prototype);
                         });
  return 0;
}
