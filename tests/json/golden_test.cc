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

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "tests/json/messages.h"
#include "tokenusage/json/json.h"

namespace tokenusage {
namespace {

namespace fs = std::filesystem;

constexpr char kTestData[] = "tests/json/testdata";

std::string ReadFile(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.is_open()) << path;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::vector<std::string> NamesIn(const std::string& folder,
                                 const std::string& extension) {
  std::vector<std::string> names;
  for (const auto& entry :
       fs::directory_iterator(fs::path(kTestData) / folder)) {
    if (entry.path().extension() == extension) {
      names.push_back(entry.path().stem());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string FirstLine(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

std::string KindName(JsonError::Kind kind) {
  switch (kind) {
    case JsonError::Kind::kSyntax:
      return "kSyntax";
    case JsonError::Kind::kWrongType:
      return "kWrongType";
    case JsonError::Kind::kOutOfRange:
      return "kOutOfRange";
    case JsonError::Kind::kMissingField:
      return "kMissingField";
    case JsonError::Kind::kNullValue:
      return "kNullValue";
    case JsonError::Kind::kDuplicateName:
      return "kDuplicateName";
    case JsonError::Kind::kUnknownField:
      return "kUnknownField";
    case JsonError::Kind::kTooDeep:
      return "kTooDeep";
    case JsonError::Kind::kNotRepresentable:
      return "kNotRepresentable";
  }
  return "";
}

class ValidTest : public ::testing::TestWithParam<std::string> {};

TEST_P(ValidTest, ReadsAndWrites) {
  const fs::path base = fs::path(kTestData) / "valid" / GetParam();
  const std::string json = ReadFile(base.string() + ".json");
  const std::string text = ReadFile(base.string() + ".txtpb");
  const std::string written_path = base.string() + ".written.json";
  const std::string written =
      fs::exists(written_path) ? ReadFile(written_path) : json;

  const std::string mark = "# proto-message: ";
  ASSERT_EQ(text.substr(0, mark.size()), mark);
  const std::string type = FirstLine(text).substr(mark.size());
  for (const auto& expected : testing::NewMessages(type)) {
    ASSERT_TRUE(
        google::protobuf::TextFormat::ParseFromString(text, expected.get()));
    const std::unique_ptr<google::protobuf::Message> message(expected->New());
    const absl::Status status = ParseJson(json, message.get());
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_EQ(testing::Bits(*message), testing::Bits(*expected))
        << message->DebugString();

    const absl::StatusOr<std::string> again = WriteJson(*message);
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_EQ(*again + "\n", written);
    ASSERT_TRUE(ParseJson(*again, message.get()).ok());
    EXPECT_EQ(testing::Bits(*message), testing::Bits(*expected));
  }
}

INSTANTIATE_TEST_SUITE_P(Golden, ValidTest,
                         ::testing::ValuesIn(NamesIn("valid", ".txtpb")),
                         [](const auto& info) { return info.param; });

class InvalidTest : public ::testing::TestWithParam<std::string> {};

TEST_P(InvalidTest, IsRefused) {
  const fs::path base = fs::path(kTestData) / "invalid" / GetParam();
  const std::string json = ReadFile(base.string() + ".json");
  std::istringstream lines(ReadFile(base.string() + ".error"));
  std::string type, mode, error;
  std::getline(lines, type);
  std::getline(lines, mode);
  std::getline(lines, error);
  JsonParseOptions options;
  options.strict = mode == "strict";
  ASSERT_TRUE(options.strict || mode == "default") << mode;

  for (const auto& message : testing::NewMessages(type)) {
    const absl::Status status = ParseJson(json, message.get(), options);
    ASSERT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    const std::optional<JsonError> details = GetJsonError(status);
    ASSERT_TRUE(details.has_value());
    EXPECT_EQ(KindName(details->kind) + ": " + std::string(status.message()),
              error);
    EXPECT_EQ(message->ByteSizeLong(), 0U) << "the message was changed";
  }
}

INSTANTIATE_TEST_SUITE_P(Golden, InvalidTest,
                         ::testing::ValuesIn(NamesIn("invalid", ".error")),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace tokenusage
