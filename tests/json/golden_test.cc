// SPDX-License-Identifier: Apache-2.0
//
// Reads the golden documents of docs/json.md, and compares the message and what
// it is written as, or the error.
//
//   valid/NAME.json          a document
//   valid/NAME.txtpb         its message; the first line names the type
//   valid/NAME.written.json  what the message is written as; NAME.json if there
//                            is no such file
//   invalid/NAME.json        a document that is refused
//   invalid/NAME.error       the message's type; "default" or "strict"; the
//                            error's kind and text

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "tests/json/error_names.h"
#include "tests/json/goldens.h"
#include "tests/json/messages.h"
#include "tests/support/status_matchers.h"
#include "tokenusage/json/json.h"

namespace tokenusage {
namespace {

using testing::Golden;
using testing::IsOk;
using testing::StatusIs;

// Returns the goldens of valid/, or those of invalid/.
std::vector<Golden> Goldens(bool valid) {
  std::vector<Golden> found;
  for (Golden& golden : testing::ReadGoldens()) {
    if (golden.error.empty() == valid) found.push_back(std::move(golden));
  }
  return found;
}

// Returns the golden's name without its folder: gtest allows no slash.
std::string NameOf(const ::testing::TestParamInfo<Golden>& info) {
  return info.param.name.substr(info.param.name.find('/') + 1);
}

class ValidTest : public ::testing::TestWithParam<Golden> {};

TEST_P(ValidTest, ReadsAndWrites) {
  const Golden& golden = GetParam();
  for (const auto& expected : testing::NewMessages(golden.message_type)) {
    ASSERT_TRUE(::google::protobuf::TextFormat::ParseFromString(
        golden.message_text, expected.get()));
    const std::unique_ptr<::google::protobuf::Message> message(expected->New());
    const absl::Status status = ParseJson(golden.json, message.get());
    ASSERT_THAT(status, IsOk());
    EXPECT_EQ(testing::Bits(*message), testing::Bits(*expected))
        << message->DebugString();

    const absl::StatusOr<std::string> again = WriteJson(*message);
    ASSERT_THAT(again, IsOk());
    EXPECT_EQ(*again + "\n", golden.written);
    ASSERT_THAT(ParseJson(*again, message.get()), IsOk());
    EXPECT_EQ(testing::Bits(*message), testing::Bits(*expected));
  }
}

INSTANTIATE_TEST_SUITE_P(Golden, ValidTest, ::testing::ValuesIn(Goldens(true)),
                         NameOf);

class InvalidTest : public ::testing::TestWithParam<Golden> {};

TEST_P(InvalidTest, IsRefused) {
  const Golden& golden = GetParam();
  JsonParseOptions options;
  options.strict = golden.strict;

  for (const auto& message : testing::NewMessages(golden.message_type)) {
    const absl::Status status = ParseJson(golden.json, message.get(), options);
    ASSERT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument));
    const std::optional<JsonError> details = GetJsonError(status);
    ASSERT_TRUE(details.has_value());
    EXPECT_EQ(testing::ErrorKindName(details->kind) + ": " +
                  std::string(status.message()),
              golden.error);
    EXPECT_EQ(message->ByteSizeLong(), 0U) << "the message was changed";
  }
}

INSTANTIATE_TEST_SUITE_P(Golden, InvalidTest,
                         ::testing::ValuesIn(Goldens(false)), NameOf);

}  // namespace
}  // namespace tokenusage
