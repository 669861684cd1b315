// SPDX-License-Identifier: Apache-2.0
//
// Tests the reference reader on the golden documents, and on what they leave
// out.

#include "tests/json/fuzz/reference_reader.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "google/protobuf/message.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "tests/json/error_names.h"
#include "tests/json/fuzz/reference_values.h"
#include "tests/json/goldens.h"
#include "tests/json/kinds.pb.h"
#include "tests/json/messages.h"

namespace tokenusage {
namespace testing {
namespace {

using ::google::protobuf::Message;

// Returns the offset that an error's text names by "(line 3, column 18)".
std::size_t OffsetOf(const std::string& error, const std::string& json) {
  const std::size_t place = error.rfind("(line ");
  std::size_t line = std::stoul(error.substr(place + 6));
  const std::size_t column =
      std::stoul(error.substr(error.find("column ", place) + 7));
  std::size_t offset = 0;
  for (; line > 1; --line) offset = json.find('\n', offset) + 1;
  return offset + column - 1;
}

class GoldenTest : public ::testing::TestWithParam<Golden> {};

TEST_P(GoldenTest, IsReadAsWritten) {
  const Golden& golden = GetParam();
  ReferenceOptions options;
  options.strict = golden.strict;
  for (const auto& expected : NewMessages(golden.message_type)) {
    const std::unique_ptr<Message> message(expected->New());
    const std::optional<ReferenceError> error =
        ReferenceRead(golden.json, options, message.get());
    if (golden.error.empty()) {
      ASSERT_TRUE(::google::protobuf::TextFormat::ParseFromString(
          golden.message_text, expected.get()));
      ASSERT_FALSE(error.has_value()) << error->offset;
      EXPECT_EQ(Bits(*message), Bits(*expected)) << message->DebugString();
      continue;
    }
    ASSERT_TRUE(error.has_value());
    const std::string kind = ErrorKindName(error->kind) + ": ";
    EXPECT_EQ(golden.error.substr(0, kind.size()), kind);
    EXPECT_EQ(error->offset, OffsetOf(golden.error, golden.json));
    if (error->field_path.value_or("") != "") {
      const std::string path = kind + *error->field_path + ": ";
      EXPECT_EQ(golden.error.substr(0, path.size()), path);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, GoldenTest, ::testing::ValuesIn(ReadGoldens()),
                         [](const auto& info) {
                           std::string name = info.param.name;
                           name[name.find('/')] = '_';
                           return name;
                         });

struct Case {
  std::string json;
  std::string path;
  std::string kind;  // empty: accepted
  std::size_t offset = 0;
};

TEST(ReferenceReaderTest, FindsTheObjectAtAPath) {
  for (const Case& c : std::vector<Case>{
           {R"({"a":{"b":{"value":1}},"b":2})", "a.b", ""},
           {R"({"a":{"b":{}},"a":1})", "a.b", "kDuplicateName", 14},
           {R"({"b":1,"b":{},"a":{}})", "a", ""},
           {R"({"a":{}})", "a.b", "kMissingField", 6},
           {R"({"a":[1]})", "a.b", "kWrongType", 5},
           {R"({"A":{}})", "a", "kMissingField", 7},
           {R"({"a":{},"b":01})", "a", "kSyntax", 13},
           {R"({"":{"":{"value":true}}})", ".", "kWrongType", 17},
           {R"([])", "a", "kWrongType", 0},
       }) {
    Tree tree;
    ReferenceOptions options;
    options.path = c.path;
    const std::optional<ReferenceError> error =
        ReferenceRead(c.json, options, &tree);
    EXPECT_EQ(error.has_value() ? ErrorKindName(error->kind) : "", c.kind)
        << c.json;
    if (error.has_value()) {
      EXPECT_EQ(error->offset, c.offset) << c.json;
    }
  }
}

TEST(ReferenceReaderTest, TakesTheFirstErrorOfTheDocument) {
  for (const Case& c : std::vector<Case>{
           {R"({"value":true,"children":[1,]})", "", "kWrongType", 9},
           {R"({"children":[{"value":1,"value":2},)", "", "kDuplicateName", 24},
           {R"({"children":[{"value":tru},"x"]})", "", "kSyntax", 25},
           {R"({"child":{"child":5,"x":"\q"}})", "", "kWrongType", 18},
           {R"({"x":[{"y":"\ud800"}],"value":"a"})", "", "kSyntax", 12},
           {R"({"value":1e999} x)", "", "kOutOfRange", 9},
       }) {
    Tree tree;
    const std::optional<ReferenceError> error =
        ReferenceRead(c.json, ReferenceOptions(), &tree);
    ASSERT_TRUE(error.has_value()) << c.json;
    EXPECT_EQ(ErrorKindName(error->kind), c.kind) << c.json;
    EXPECT_EQ(error->offset, c.offset) << c.json;
  }
}

TEST(ReferenceValuesTest, WholeNumbersHaveManySpellings) {
  const auto magnitude = [](const std::string& number) {
    const std::optional<WholeNumber> whole = ToWholeNumber(number);
    return !whole.has_value() ? "none"
                              : (whole->negative ? "-" : "") +
                                    std::to_string(whole->magnitude);
  };
  EXPECT_EQ(magnitude("18446744073709551615"), "18446744073709551615");
  EXPECT_EQ(magnitude("18446744073709551616"), "none");
  EXPECT_EQ(magnitude("-0.0e5"), "0");
  EXPECT_EQ(magnitude("-120e-1"), "-12");
  EXPECT_EQ(magnitude("125e-1"), "none");
  EXPECT_EQ(magnitude("0.00001e5"), "1");
  EXPECT_EQ(magnitude("1" + std::string(400, '0') + "e-400"), "1");
  EXPECT_EQ(magnitude("1e99999999999999999999"), "none");
  EXPECT_EQ(magnitude("1e-99999999999999999999"), "none");
  EXPECT_EQ(magnitude("0e99999999999999999999"), "0");
  EXPECT_EQ(magnitude("1e+000000000000000000003"), "1000");
}

}  // namespace
}  // namespace testing
}  // namespace tokenusage
