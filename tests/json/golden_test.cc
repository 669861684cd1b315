// SPDX-License-Identifier: Apache-2.0
//
// Documents with the message that each is read as and the JSON that the message
// is written as, and documents with the error that each is refused with. See
// docs/json.md.
//
//   valid/NAME.json          read
//   valid/NAME.txtpb         as this message, whose type the first line names
//   valid/NAME.written.json  and written as this; NAME.json itself without it
//   invalid/NAME.json        refused
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

// Those of valid/, or those of invalid/.
std::vector<Golden> Goldens(bool valid) {
  std::vector<Golden> found;
  for (Golden& golden : testing::ReadGoldens()) {
    if (golden.error.empty() == valid) found.push_back(std::move(golden));
  }
  return found;
}

// What gtest takes for a name: without the folder.
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
    ASSERT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
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
