// SPDX-License-Identifier: Apache-2.0

#include "tests/support/fuzzing/mutation.h"

#include <cstdlib>
#include <fstream>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace tokenusage {
namespace testing {
namespace {

TEST(ReadDictionaryTest, ReadsTokensAndTheirEscapes) {
  const std::string path = ::testing::TempDir() + "/tokens.dict";
  std::ofstream(path) << "# a \"comment\"\n\n\"null\"\nquote=\"\\\"\"\n"
                      << R"("\\u00")"
                      << "\n"
                      << R"("\xFFa")"
                      << "\n";
  EXPECT_EQ(ReadDictionary(path),
            (std::vector<std::string>{"null", "\"", "\\u00",
                                      "\xFF"
                                      "a"}));
}

TEST(MutateTest, MakesMostlyNewInputsAndRepeatsThemForASeed) {
  const std::vector<std::string> tokens = {"null", "{}"};
  std::mt19937_64 random(1);
  std::mt19937_64 again(1);
  std::set<std::string> made;
  bool has_token = false;
  bool has_other = false;
  for (int i = 0; i < 500; ++i) {
    std::string input = "[1,2,3]";
    std::string same = input;
    Mutate(tokens, "@@@@", &random, &input);
    Mutate(tokens, "@@@@", &again, &same);
    ASSERT_EQ(input, same);
    has_token |= input.find("null") != std::string::npos;
    has_other |= input.find("@@") != std::string::npos;
    made.insert(input);
  }
  EXPECT_GT(made.size(), 400U);
  EXPECT_TRUE(has_token);
  EXPECT_TRUE(has_other);
}

TEST(MutateTest, TakesEmptyInputs) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 100; ++i) {
    std::string input;
    Mutate({}, "", &random, &input);
    EXPECT_LE(input.size(), 100U);
  }
}

}  // namespace
}  // namespace testing
}  // namespace tokenusage
