// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/cli/csv.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace tokenusage {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::IsOkAndHolds;
using testing::StatusIs;

absl::StatusOr<std::vector<CsvField>> ReadLine(const std::string& text) {
  CsvReader reader(text);
  std::vector<CsvField> fields;
  const absl::StatusOr<bool> found = reader.Next(&fields);
  if (!found.ok()) return found.status();
  return fields;
}

TEST(CsvTest, QuotesOnlyWhatItMust) {
  EXPECT_EQ(CsvLine({"a b", "1.5", "é;'"}), "a b,1.5,é;'\n");
  EXPECT_EQ(CsvLine({"a,b", "say \"hi\"", "two\nlines", "\rx"}),
            "\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\",\"'\rx\"\n");
}

TEST(CsvTest, TellsMissingFromEmpty) {
  EXPECT_EQ(CsvLine({std::nullopt, "", std::nullopt}), ",\"\",\n");
  EXPECT_THAT(ReadLine(",\"\",\n"),
              IsOkAndHolds(ElementsAre(std::nullopt, "", std::nullopt)));
}

TEST(CsvTest, KeepsSpreadsheetsFromTakingTextForAFormula) {
  EXPECT_EQ(CsvLine({"=1+1", "+1", "-1", "@a", "\ta", "'a", "a=1"}),
            "'=1+1,'+1,'-1,'@a,'\ta,''a,a=1\n");
  EXPECT_EQ(CsvLine({"=HYPERLINK(\"x\",\"y\")"}),
            "\"'=HYPERLINK(\"\"x\"\",\"\"y\"\")\"\n");
}

TEST(CsvTest, ReadsWhatItWrites) {
  const std::vector<CsvField> fields = {
      "",    std::nullopt, "\"",    "\"\"",
      ",",   "\n",         "\r\n",  "'",
      "''",  "='a'",       "\t\n'", "ünïcode 😀",
      "a,b", "x\"",        "-0",    std::string("\0", 1)};
  std::string text = CsvLine(fields) + CsvLine({"second"});
  CsvReader reader(text);
  std::vector<CsvField> found;
  EXPECT_THAT(reader.Next(&found), IsOkAndHolds(true));
  EXPECT_EQ(found, fields);
  EXPECT_THAT(reader.Next(&found), IsOkAndHolds(true));
  EXPECT_THAT(found, ElementsAre("second"));
  EXPECT_THAT(reader.Next(&found), IsOkAndHolds(false));
}

TEST(CsvTest, RefusesWhatIsNotCsv) {
  const auto is_invalid = [](const char* words) {
    return StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(words));
  };
  EXPECT_THAT(ReadLine("a,b"), is_invalid("line feed at the end"));
  EXPECT_THAT(ReadLine("a,"), is_invalid("line feed at the end"));
  EXPECT_THAT(ReadLine("\"a"), is_invalid("closing quote"));
  EXPECT_THAT(ReadLine("\"a\"b\n"), is_invalid("a comma or a line feed"));
  EXPECT_THAT(ReadLine("a\"b\n"), is_invalid("a comma or a line feed"));
  EXPECT_THAT(ReadLine("a\r\n"), is_invalid("a comma or a line feed"));
}

}  // namespace
}  // namespace tokenusage
