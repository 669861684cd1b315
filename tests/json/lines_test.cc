// SPDX-License-Identifier: Apache-2.0
//
// Tests reading and writing of JSON Lines.

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/json/messages.h"
#include "tests/support/status_matchers.h"
#include "tokenusage/json/json.h"
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
constexpr char kReordered[] =
    R"( {"output_tokens":3,"input_tokens_details":{"image_tokens":5, )"
    R"("text_tokens":4},"total_tokens":1,"more":[null],"input_tokens":2})";

TEST(JsonLinesTest, ReadsEachLineOnItsOwn) {
  const std::string text =
      absl::StrCat(kExample, "\n\n", kReordered, "\r\n \t\n{\"total_tokens\":1",
                   "\n", kExample, kExample, "\n", kExample);
  JsonLinesReader lines(text);
  EXPECT_EQ(lines.line_number(), 0U);
  PostV2ProxyImagesEditsUsage usage;
  ASSERT_TRUE(lines.Next(&usage));
  EXPECT_THAT(lines.status(), IsOk());
  EXPECT_EQ(lines.line_number(), 1U);
  EXPECT_EQ(usage.total_tokens(), 8105.75);
  ASSERT_TRUE(lines.Next(&usage));
  EXPECT_THAT(lines.status(), IsOk());
  EXPECT_EQ(lines.line_number(), 3U);
  EXPECT_EQ(usage.input_tokens_details().image_tokens(), 5);
  const std::string before = Bits(usage);
  ASSERT_TRUE(lines.Next(&usage));
  EXPECT_EQ(lines.line_number(), 5U);
  const auto error = GetJsonError(lines.status());
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->line, 5U);
  EXPECT_EQ(error->column, 18U);
  EXPECT_EQ(error->byte_offset, text.find("\"total_tokens\":1\n") + 16);
  EXPECT_EQ(Bits(usage), before);
  ASSERT_TRUE(lines.Next(&usage));
  EXPECT_EQ(lines.status().message(),
            absl::StrCat("expected the document's end, found character \"{\" "
                         "(line 6, column ",
                         sizeof(kExample), ")"));
  ASSERT_TRUE(lines.Next(&usage));
  EXPECT_THAT(lines.status(), IsOk());
  EXPECT_EQ(lines.line_number(), 7U);
  EXPECT_FALSE(lines.Next(&usage));
  EXPECT_FALSE(lines.Next(&usage));
  EXPECT_THAT(lines.status(), IsOk());
}

TEST(JsonLinesTest, ADocumentEndsWithItsLine) {
  for (const char* text : {"{\n}", "{\"total_tokens\":\n1}"}) {
    JsonLinesReader lines(text);
    PostV2ProxyImagesEditsUsage usage;
    for (int i = 0; i < 2; ++i) {
      ASSERT_TRUE(lines.Next(&usage));
      EXPECT_THAT(lines.status(), StatusIs(absl::StatusCode::kInvalidArgument))
          << text;
    }
    EXPECT_FALSE(lines.Next(&usage));
  }
  PostV2ProxyImagesEditsUsage usage;
  EXPECT_FALSE(JsonLinesReader("").Next(&usage));
  EXPECT_FALSE(JsonLinesReader(" \n\n").Next(&usage));
}

TEST(JsonLinesTest, ReadsNothingBeyondTheText) {
  const std::string text = absl::StrCat(kExample, "\n", kExample);
  for (std::size_t length = 0; length <= text.size(); ++length) {
    const std::unique_ptr<char[]> block(new char[length]);
    text.copy(block.get(), length);
    JsonLinesReader lines(std::string_view(block.get(), length));
    PostV2ProxyImagesEditsUsage usage;
    std::size_t read = 0;
    while (lines.Next(&usage)) read += lines.status().ok();
    EXPECT_EQ(read, length == text.size()            ? 2U
                    : length >= sizeof(kExample) - 1 ? 1U
                                                     : 0U);
  }
}

TEST(JsonLinesTest, WritesWhatItReads) {
  PostV2ProxyImagesEditsUsage usage;
  ASSERT_THAT(ParseJson(kExample, &usage), IsOk());
  std::string text;
  ASSERT_THAT(AppendJsonLine(usage, &text), IsOk());
  ASSERT_THAT(AppendJsonLine(usage, &text), IsOk());
  EXPECT_EQ(text, absl::StrCat(kExample, "\n", kExample, "\n"));
  usage.clear_total_tokens();
  EXPECT_THAT(AppendJsonLine(usage, &text),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(text, absl::StrCat(kExample, "\n", kExample, "\n"));
}

}  // namespace
}  // namespace tokenusage
