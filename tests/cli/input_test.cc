// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/cli/input.h"

#include <fstream>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace tokenusage {
namespace {

Input OpenWith(const std::string& content) {
  const std::string path = testing::TempDir() + "/input";
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

TEST(InputTest, SplitsLinesWithAndWithoutAnEnd) {
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
  EXPECT_EQ(input.ReadLine(10, &line).status().code(),
            absl::StatusCode::kOutOfRange);
  EXPECT_TRUE(*input.ReadLine(10, &line));
  EXPECT_EQ(line, std::string(10, 'y'));
  EXPECT_FALSE(*input.ReadLine(10, &line));
}

TEST(InputTest, ReadsAllUpToTheLimit) {
  EXPECT_EQ(*OpenWith("12345").ReadAll(5), "12345");
  EXPECT_EQ(OpenWith("123456").ReadAll(5).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(InputTest, NamesWhatCannotBeRead) {
  const std::string missing = testing::TempDir() + "/no such file";
  const auto input = Input::Open(missing);
  EXPECT_EQ(input.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(input.status().message().find(missing.c_str()), std::string::npos);
  // A folder opens, and fails to be read.
  EXPECT_FALSE(Input::Open(testing::TempDir())->ReadAll(5).ok());
}

}  // namespace
}  // namespace tokenusage
