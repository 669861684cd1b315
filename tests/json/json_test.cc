// SPDX-License-Identifier: Apache-2.0
//
// Tests the rules of docs/json.md that golden documents cannot show.

#include "tokenusage/json/json.h"

#include <algorithm>
#include <clocale>
#include <cmath>
#include <cstdint>
#include <limits>
#include <locale>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/arena.h"
#include "gtest/gtest.h"
#include "tests/json/kinds.pb.h"
#include "tests/json/messages.h"
#include "tests/json/required_label.pb.h"
#include "tests/json/unmappable.pb.h"
#include "tests/json/unmappable_group.pb.h"
#include "tests/support/status_matchers.h"
#include "tokenusage/orq/v2/images.pb.h"

namespace tokenusage {
namespace {

using orq::v2::PostV2ProxyImagesEditsUsage;
using testing::Bits;
using testing::IsOk;
using testing::StatusIs;

constexpr char kExample[] =
    R"({"total_tokens":8105.75,"input_tokens":7451.29,"output_tokens":1442.01,)"
    R"("input_tokens_details":{"text_tokens":5727.82,"image_tokens":1501.66}})";

PostV2ProxyImagesEditsUsage Example() {
  PostV2ProxyImagesEditsUsage usage;
  EXPECT_THAT(ParseJson(kExample, &usage), IsOk());
  return usage;
}

JsonError ErrorOf(const absl::Status& status) {
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  const std::optional<JsonError> error = GetJsonError(status);
  EXPECT_TRUE(error.has_value()) << status;
  return error.value_or(JsonError());
}

// ------------------------------------------------------------------- reading

TEST(ParseJsonTest, KeepsTheMessageOnEveryError) {
  PostV2ProxyImagesEditsUsage usage = Example();
  const std::string before = Bits(usage);
  const std::string json = kExample;
  for (std::size_t length = 0; length < json.size(); ++length) {
    ASSERT_THAT(ParseJson(json.substr(0, length), &usage),
                StatusIs(absl::StatusCode::kInvalidArgument))
        << length;
    ASSERT_EQ(Bits(usage), before) << length;
  }
  ASSERT_THAT(ParseJson(json + ",", &usage),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(Bits(usage), before);
}

TEST(ParseJsonTest, ReplacesWhatTheMessageHeld) {
  testing::Singular message;
  message.set_a_string("before");
  ASSERT_THAT(ParseJson(R"({"a_bool":true})", &message), IsOk());
  EXPECT_FALSE(message.has_a_string());
  EXPECT_TRUE(message.a_bool());
}

TEST(ParseJsonTest, FillsMessagesOnAnArena) {
  ::google::protobuf::Arena arena;
  auto* const usage =
      PostV2ProxyImagesEditsUsage::default_instance().New(&arena);
  ASSERT_THAT(ParseJson(kExample, usage), IsOk());
  EXPECT_EQ(Bits(*usage), Bits(Example()));
}

TEST(ParseJsonTest, ErrorsCarryTheirParts) {
  PostV2ProxyImagesEditsUsage usage;
  const absl::Status status = ParseJson(
      "{\"total_tokens\":1,\n\"input_tokens_details\":{\n  \"text_tokens\": "
      "\"abc\"}}",
      &usage);
  EXPECT_EQ(status.message(),
            "input_tokens_details.text_tokens: expected a number, found string "
            "\"abc\" (line 3, column 18)");
  const JsonError error = ErrorOf(status);
  EXPECT_EQ(error.kind, JsonError::Kind::kWrongType);
  EXPECT_EQ(error.field_path, "input_tokens_details.text_tokens");
  EXPECT_EQ(error.line, 3U);
  EXPECT_EQ(error.column, 18U);
  EXPECT_EQ(error.byte_offset, 61U);
  EXPECT_EQ(error.expected, "a number");
  EXPECT_EQ(error.found, "string \"abc\"");
}

TEST(ParseJsonTest, OtherStatusesCarryNoJsonError) {
  EXPECT_FALSE(GetJsonError(absl::OkStatus()).has_value());
  EXPECT_FALSE(GetJsonError(absl::InvalidArgumentError("x")).has_value());
}

// Expects that only the whole of `json` is accepted, and that no byte beyond
// its end is read: each prefix is copied to a block of exactly its size, for
// AddressSanitizer. Documents of 512 bytes or more are read in place, except
// for their last bytes.
void ExpectReadsNothingBeyond(const std::string& json,
                              ::google::protobuf::Message* message) {
  for (std::size_t length = 0; length <= json.size(); ++length) {
    const std::unique_ptr<char[]> block(new char[length]);
    json.copy(block.get(), length);
    EXPECT_EQ(ParseJson(std::string_view(block.get(), length), message).ok(),
              length == json.size());
  }
}

TEST(ParseJsonTest, ReadsNothingBeyondTheDocument) {
  PostV2ProxyImagesEditsUsage usage;
  ExpectReadsNothingBeyond(kExample, &usage);
  ExpectReadsNothingBeyond(std::string(1000, ' ') + kExample, &usage);
  ExpectReadsNothingBeyond(absl::StrCat(R"({"x":")", std::string(1000, 'x'),
                                        "\",", std::string(kExample).substr(1)),
                           &usage);
  testing::LongNames names;
  for (int i = 0; i < names.GetDescriptor()->field_count(); ++i) {
    names.GetReflection()->SetDouble(&names, names.GetDescriptor()->field(i),
                                     i);
  }
  ExpectReadsNothingBeyond(WriteJson(names).value_or(""), &names);
  EXPECT_THAT(ParseJson(std::string_view(), &usage),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(ParseJsonTest, ManyUnknownNamesAreCompared) {
  std::string json = "{";
  for (int i = 0; i < 50000; ++i)
    absl::StrAppend(&json, "\"n", i, "\":", i, ",");
  testing::Tree tree;
  ASSERT_THAT(ParseJson(json + "\"value\":1}", &tree), IsOk());
  const JsonError error = ErrorOf(ParseJson(json + "\"n25000\":1}", &tree));
  EXPECT_EQ(error.kind, JsonError::Kind::kDuplicateName);
  EXPECT_EQ(error.byte_offset, json.size());
}

TEST(ParseJsonTest, ErrorsRepeatAtMostFortyCharactersOfTheInput) {
  testing::Maps maps;
  const std::string key(30, 'k');
  std::string json = "\"" + std::string(100, 'v') + "\"";
  for (int i = 0; i < 5; ++i) {
    json = absl::StrCat("{\"maps_map\":{\"", key, "\":", json, "}}");
  }
  const absl::Status status = ParseJson(json, &maps);
  const std::string text(status.message());
  EXPECT_EQ(std::count(text.begin(), text.end(), 'k'), 40) << text;
  EXPECT_EQ(text.find("vv"), std::string::npos) << text;
}

TEST(ParseJsonTest, TheLocaleDoesNotMatter) {
  struct Comma : std::numpunct<char> {
    char do_decimal_point() const override { return ','; }
    char do_thousands_sep() const override { return '.'; }
    std::string do_grouping() const override { return "\3"; }
  };
  const std::locale before =
      std::locale::global(std::locale(std::locale::classic(), new Comma));
  // C's locale as well, if the machine has one.
  for (const char* name : {"de_DE.UTF-8", "fr_FR.UTF-8"}) {
    if (std::setlocale(LC_ALL, name) != nullptr) break;
  }
  PostV2ProxyImagesEditsUsage usage;
  EXPECT_THAT(ParseJson(kExample, &usage), IsOk());
  EXPECT_EQ(usage.total_tokens(), 8105.75);
  EXPECT_EQ(WriteJson(usage).value_or(""), kExample);
  std::setlocale(LC_ALL, "C");
  std::locale::global(before);
}

TEST(ParseJsonTest, ThreadsReadAndWriteAtOnce) {
  std::vector<std::thread> threads;
  std::vector<int> good(8, 0);
  for (int& count : good) {
    threads.emplace_back([&count] {
      for (int i = 0; i < 200; ++i) {
        testing::Maps maps;
        const std::string json =
            R"({"double_map":{"a":1},"maps_map":{"b":{}}})";
        if (ParseJson(json, &maps).ok() &&
            WriteJson(maps).value_or("") == json) {
          ++count;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, std::vector<int>(8, 200));
}

// --------------------------------------------------------- reading at a path

TEST(ParseJsonAtTest, FindsTheObjectAndChecksTheRest) {
  PostV2ProxyImagesEditsUsage usage;
  const std::string response = absl::StrCat(
      R"({"created":1,"data":[{"b64_json":"AAAA","usage":{}}],"x":{"usage":7},)",
      R"("us\u0061ge":)", kExample, R"(,"tail":[1e400]})");
  ASSERT_THAT(ParseJsonAt(response, "usage", &usage), IsOk());
  EXPECT_EQ(Bits(usage), Bits(Example()));
  ASSERT_THAT(ParseJsonAt(absl::StrCat(R"({"a":0,"b":{"c":)", response, "}}"),
                          "b.c.usage", &usage),
              IsOk());
  ASSERT_THAT(ParseJsonAt(kExample, "", &usage), IsOk());
  // A name may be empty, the last one, too.
  ASSERT_THAT(
      ParseJsonAt(absl::StrCat(R"({"": {"": )", kExample, "}}"), ".", &usage),
      IsOk());
  EXPECT_THAT(ParseJsonAt(absl::StrCat(R"({"":)", kExample, "}"), ".", &usage),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(ParseJsonAtTest, RefusesABadRest) {
  PostV2ProxyImagesEditsUsage usage;
  const std::string good = absl::StrCat(R"({"usage":)", kExample);
  const std::size_t size = good.size();
  struct Case {
    std::string json;
    std::size_t offset;
  };
  for (const Case& bad :
       {Case{good, size}, Case{good + "}x", size + 1},
        Case{good + ",\"a\":01}", size + 6},
        Case{good + ",\"a\":\"\xFF\"}", size + 6},
        Case{absl::StrCat("{\"a\":[,],", good.substr(1)), 6}}) {
    const JsonError error = ErrorOf(ParseJsonAt(bad.json, "usage", &usage));
    EXPECT_EQ(error.kind, JsonError::Kind::kSyntax) << bad.json;
    EXPECT_EQ(error.byte_offset, bad.offset) << bad.json;
    EXPECT_EQ(usage.ByteSizeLong(), 0U);
  }
}

TEST(ParseJsonAtTest, SaysWhereThePathEnds) {
  using Kind = JsonError::Kind;
  struct Case {
    std::string json;
    std::string path;
    Kind kind;
    std::size_t offset;
  };
  const std::string twice = absl::StrCat(R"({"a":)", kExample, ",");
  for (const Case& bad : {
           Case{"{}", "usage", Kind::kMissingField, 1},
           Case{R"({"a":{"x":1}})", "a.b", Kind::kMissingField, 11},
           Case{R"({"a":null})", "a", Kind::kNullValue, 5},
           Case{R"({"a":null})", "a.b", Kind::kNullValue, 5},
           Case{R"({"a":7})", "a", Kind::kWrongType, 5},
           Case{R"({"a":[{}]})", "a.b", Kind::kWrongType, 5},
           Case{R"({"A":{}})", "a", Kind::kMissingField, 7},
           Case{"[]", "a", Kind::kWrongType, 0},
           Case{twice + "\"a\":{}}", "a", Kind::kDuplicateName, twice.size()},
           Case{R"({"a":{}})", "a", Kind::kMissingField, 6},
       }) {
    PostV2ProxyImagesEditsUsage usage;
    const JsonError error = ErrorOf(ParseJsonAt(bad.json, bad.path, &usage));
    EXPECT_EQ(error.kind, bad.kind) << bad.json << " at " << bad.path;
    EXPECT_EQ(error.byte_offset, bad.offset) << bad.json << " at " << bad.path;
    EXPECT_EQ(usage.ByteSizeLong(), 0U);
  }
}

TEST(ParseJsonAtTest, ErrorsOnTheWayHaveItsPath) {
  PostV2ProxyImagesEditsUsage usage;
  const auto path_of = [&usage](const std::string& json) {
    return ErrorOf(ParseJsonAt(json, "response.usage", &usage)).field_path;
  };
  EXPECT_EQ(path_of("{}"), "response");
  EXPECT_EQ(path_of(R"({"response":null})"), "response");
  EXPECT_EQ(path_of(R"({"response":[]})"), "response");
  EXPECT_EQ(path_of(R"({"response":{}})"), "response.usage");
  EXPECT_EQ(path_of(R"({"response":{"usage":null}})"), "response.usage");
  EXPECT_EQ(path_of(R"({"response":{"usage":7}})"), "response.usage");
  // The path of an error in the message starts at the message.
  EXPECT_EQ(path_of(R"({"response":{"usage":{"total_tokens":null}}})"),
            "total_tokens");
}

TEST(ParseJsonAtTest, StrictIsAboutTheMessageOnly) {
  JsonParseOptions strict;
  strict.strict = true;
  testing::Tree tree;
  EXPECT_THAT(ParseJsonAt(R"({"other":1,"t":{"value":1}})", "t", &tree, strict),
              IsOk());
  const JsonError error =
      ErrorOf(ParseJsonAt(R"({"t":{"other":1}})", "t", &tree, strict));
  EXPECT_EQ(error.kind, JsonError::Kind::kUnknownField);
}

// ------------------------------------------------------------------- writing

// Expects that writing fails with this error, and appends nothing.
void ExpectNotWritten(const ::google::protobuf::Message& message,
                      JsonError::Kind kind, const std::string& text) {
  std::string out = "before";
  const absl::Status status = AppendJson(message, &out);
  const JsonError error = ErrorOf(status);
  EXPECT_EQ(error.kind, kind) << status;
  EXPECT_EQ(status.message(), text);
  EXPECT_EQ(error.line, 0U);
  EXPECT_EQ(out, "before");
  EXPECT_EQ(WriteJson(message).status(), status);
}

TEST(WriteJsonTest, Appends) {
  std::string out = "before ";
  ASSERT_THAT(AppendJson(Example(), &out), IsOk());
  EXPECT_EQ(out, absl::StrCat("before ", kExample));
}

TEST(WriteJsonTest, RefusesWhatLacksARequiredField) {
  PostV2ProxyImagesEditsUsage usage = Example();
  usage.mutable_input_tokens_details()->clear_text_tokens();
  ExpectNotWritten(usage, JsonError::Kind::kMissingField,
                   "input_tokens_details.text_tokens: expected this required "
                   "field, found a message where it is not set");
  usage.clear_total_tokens();
  ExpectNotWritten(usage, JsonError::Kind::kMissingField,
                   "total_tokens: expected this required field, found a "
                   "message where it is not set");
  testing::Wide wide;
  wide.set_f1(1);
  ExpectNotWritten(wide, JsonError::Kind::kMissingField,
                   "f70: expected this required field, found a message where "
                   "it is not set");
}

TEST(WriteJsonTest, RefusesWhatIsNotFinite) {
  PostV2ProxyImagesEditsUsage usage = Example();
  usage.set_output_tokens(std::numeric_limits<double>::quiet_NaN());
  ExpectNotWritten(usage, JsonError::Kind::kNotRepresentable,
                   "output_tokens: expected a finite number, found NaN");
  usage.set_output_tokens(-std::numeric_limits<double>::infinity());
  ExpectNotWritten(
      usage, JsonError::Kind::kNotRepresentable,
      "output_tokens: expected a finite number, found an infinity");
  testing::Repeated repeated;
  repeated.add_float_list(1);
  repeated.add_float_list(std::numeric_limits<float>::infinity());
  ExpectNotWritten(repeated, JsonError::Kind::kNotRepresentable,
                   "float_list[1]: expected a finite number, found an "
                   "infinity");
}

TEST(WriteJsonTest, RefusesWhatHasNoEncoding) {
  testing::Singular message;
  message.set_a_color(static_cast<testing::Color>(99));
  ExpectNotWritten(message, JsonError::Kind::kNotRepresentable,
                   "a_color: expected an enum value with a name, found number "
                   "99");
  message.clear_a_color();
  message.mutable_a_time()->set_nanos(-1);
  ExpectNotWritten(message, JsonError::Kind::kNotRepresentable,
                   "a_time: expected a time in years 1 to 9999, nanos from 0 "
                   "to 999999999, found seconds 0, nanos -1");
  message.clear_a_time();
  message.set_a_string("\xFF");
  ExpectNotWritten(message, JsonError::Kind::kNotRepresentable,
                   "a_string: expected UTF-8, found other bytes");
  testing::Maps maps;
  (*maps.mutable_string_map())["\xC0"] = "";
  ExpectNotWritten(maps, JsonError::Kind::kNotRepresentable,
                   "string_map[\"\\xc0\"]: expected UTF-8, found other bytes");
}

TEST(WriteJsonTest, NestsAsDeepAsReadingDoes) {
  testing::Tree tree;
  testing::Tree* leaf = &tree;
  for (int depth = 1; depth < 100; ++depth) leaf = leaf->mutable_child();
  EXPECT_THAT(WriteJson(tree), IsOk());
  leaf->mutable_child();
  const JsonError error = ErrorOf(WriteJson(tree).status());
  EXPECT_EQ(error.kind, JsonError::Kind::kTooDeep);
}

TEST(WriteJsonTest, AMapMadeOfEntriesIsWrittenAsAMap) {
  testing::Maps maps;
  const auto* const field = maps.GetDescriptor()->FindFieldByName("double_map");
  for (const char* text : {"z", "a", "z"}) {
    auto* const entry = maps.GetReflection()->AddMessage(&maps, field);
    const auto* const type = entry->GetDescriptor();
    entry->GetReflection()->SetString(entry, type->map_key(), text);
    entry->GetReflection()->SetDouble(
        entry, type->map_value(), maps.GetReflection()->FieldSize(maps, field));
  }
  EXPECT_EQ(WriteJson(maps).value_or(""), R"({"double_map":{"a":2,"z":3}})");
}

// ------------------------------------------------------------- message types

void ExpectUnmappable(::google::protobuf::Message* message,
                      const std::string& text) {
  const std::string name(message->GetDescriptor()->full_name());
  const absl::Status read = ParseJson("{}", message);
  EXPECT_EQ(read.code(), absl::StatusCode::kFailedPrecondition) << name;
  EXPECT_EQ(read.message(), "tokenusage.testing." + text);
  EXPECT_FALSE(GetJsonError(read).has_value());
  std::string out;
  EXPECT_EQ(AppendJson(*message, &out), read) << name;
}

template <typename Message>
void ExpectUnmappable(const std::string& text) {
  Message message;
  ExpectUnmappable(&message, text);
}

TEST(MessageTypeTest, WhatHasNoExactFormIsRefusedByName) {
  ExpectUnmappable<testing::JsonNameDiffers>(
      "JsonNameDiffers.total_tokens: json_name is \"totalTokens\", but must be "
      "the wire name: write [json_name = \"total_tokens\"], or, if the API "
      "calls it \"totalTokens\", [json_name = \"totalTokens\", "
      "(tokenusage.v1.wire_name) = \"totalTokens\"]");
  ExpectUnmappable<testing::JsonNameIsNotWireName>(
      "JsonNameIsNotWireName.tokens: json_name is \"tokens\", but must be the "
      "wire name: write [json_name = \"count\"]");
  ExpectUnmappable<testing::RequiredWithoutPresence>(
      "RequiredWithoutPresence.tokens: (tokenusage.v1.required) needs a field "
      "with presence");
  ExpectUnmappable<testing::RequiredRepeated>(
      "RequiredRepeated.tokens: (tokenusage.v1.required) needs a field with "
      "presence");
  ExpectUnmappable<testing::RequiredInOneof>(
      "RequiredInOneof.tokens: (tokenusage.v1.required) is not for members of "
      "a oneof");
  ExpectUnmappable<testing::IntegerKeys>(
      "IntegerKeys.tokens: only maps with string keys are supported in JSON");
  ExpectUnmappable<testing::HasDuration>(
      "HasDuration.time: google.protobuf.Duration is not supported in JSON");
  ExpectUnmappable<testing::HasStructList>(
      "HasStructList.list: google.protobuf.Struct is not supported in JSON");
  ExpectUnmappable<testing::TwoOfOneName>(
      "TwoOfOneName.other: is named \"totalTokens\" in JSON, which is also a "
      "name of total_tokens");
  ExpectUnmappable<testing::HasGroup>(
      "HasGroup.inner: groups are not supported in JSON");
  ExpectUnmappable<testing::HasNullValue>(
      "HasNullValue.nothing: google.protobuf.NullValue is not supported in "
      "JSON");
  ExpectUnmappable<testing::Outer>(
      "HasDuration.time: google.protobuf.Duration is not supported in JSON");
}

TEST(MessageTypeTest, AWellKnownTypeIsNoDocument) {
  ::google::protobuf::Duration duration;
  const absl::Status status = ParseJson("{}", &duration);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(status.message(),
            "google.protobuf.Duration: a well-known type is not a JSON "
            "document here");
}

TEST(MessageTypeTest, TheOlderRequiredLabelCounts) {
  testing::RequiredLabel message;
  EXPECT_EQ(ErrorOf(ParseJson(R"({"other":1})", &message)).kind,
            JsonError::Kind::kMissingField);
  EXPECT_EQ(ErrorOf(WriteJson(message).status()).kind,
            JsonError::Kind::kMissingField);
  ASSERT_THAT(ParseJson(R"({"tokens":1})", &message), IsOk());
  EXPECT_EQ(WriteJson(message).value_or(""), R"({"tokens":1})");
}

}  // namespace
}  // namespace tokenusage
