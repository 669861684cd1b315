// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/cli/input.h"

#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace tokenusage {
namespace {

using ::testing::HasSubstr;
using testing::StatusIs;

Input OpenWith(const std::string& content) {
  const std::string path = ::testing::TempDir() + "/input";
  std::ofstream(path, std::ios::binary) << content;
  return *Input::Open(path);
}

std::vector<std::string> LinesOf(const std::string& content) {
  Input input = OpenWith(content);
  std::vector<std::string> lines;
  std::string line;
  while (*input.ReadLine(100, &line)) lines.push_back(line);
  return lines;
}

using Lines = std::vector<std::string>;

TEST(InputTest, TellsWhichPartOfAFileWasRead) {
  Input input = OpenWith("a\nbcd\n");
  std::string line;
  EXPECT_EQ(input.FractionRead(), 0);
  ASSERT_TRUE(*input.ReadLine(100, &line));
  EXPECT_EQ(input.FractionRead(), 2.0 / 6);
  ASSERT_TRUE(*input.ReadLine(100, &line));
  EXPECT_EQ(input.FractionRead(), 1);
  EXPECT_EQ(Input::Open("/dev/null")->FractionRead(), std::nullopt);
}

TEST(InputTest, SplitsLinesWithAndWithoutALineFeed) {
  EXPECT_EQ(LinesOf(""), Lines());
  EXPECT_EQ(LinesOf("\n"), Lines({""}));
  EXPECT_EQ(LinesOf("a\n\nb"), Lines({"a", "", "b"}));
  EXPECT_EQ(LinesOf("a\nb\n"), Lines({"a", "b"}));
  EXPECT_EQ(LinesOf(std::string("a\0b", 3)), Lines({std::string("a\0b", 3)}));
}

TEST(InputTest, SkipsALineThatIsTooLong) {
  Input input = OpenWith("ab\n" + std::string(11, 'x') + "\n" +
                         std::string(10, 'y') + "\n");
  std::string line;
  EXPECT_TRUE(*input.ReadLine(10, &line));
  EXPECT_THAT(input.ReadLine(10, &line),
              StatusIs(absl::StatusCode::kOutOfRange));
  EXPECT_TRUE(*input.ReadLine(10, &line));
  EXPECT_EQ(line, std::string(10, 'y'));
  EXPECT_FALSE(*input.ReadLine(10, &line));
}

TEST(InputTest, ReadsAllUpToTheLimit) {
  EXPECT_EQ(*OpenWith("12345").ReadAll(5), "12345");
  EXPECT_THAT(OpenWith("123456").ReadAll(5),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(InputTest, NamesWhatCannotBeRead) {
  const std::string missing = ::testing::TempDir() + "/no such file";
  EXPECT_THAT(Input::Open(missing),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(missing)));
  // A folder opens, but cannot be read.
  EXPECT_THAT(
      Input::Open(::testing::TempDir())->ReadAll(5),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("directory")));
}

}  // namespace
}  // namespace tokenusage
