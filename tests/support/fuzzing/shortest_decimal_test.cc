// SPDX-License-Identifier: Apache-2.0

#include "tests/support/fuzzing/shortest_decimal.h"

#include <limits>
#include <string>

#include "gtest/gtest.h"

namespace tokenusage {
namespace testing {
namespace {

template <typename Value>
std::string TextOf(Value value) {
  const ShortestDecimal decimal = ToShortestDecimal(value);
  return decimal.digits + "e" + std::to_string(decimal.exponent);
}

TEST(ShortestDecimalTest, FindsTheShortest) {
  EXPECT_EQ(TextOf(0.1), "1e0");
  EXPECT_EQ(TextOf(0.1f), "1e0");
  EXPECT_EQ(TextOf(100.0), "1e3");
  EXPECT_EQ(TextOf(8105.75), "810575e4");
  EXPECT_EQ(TextOf(0.1 + 0.2), "30000000000000004e0");
  EXPECT_EQ(TextOf(5e-324), "5e-323");
  EXPECT_EQ(TextOf(std::numeric_limits<double>::max()),
            "17976931348623157e309");
  EXPECT_EQ(TextOf(std::numeric_limits<float>::max()), "34028235e39");
  EXPECT_EQ(TextOf(9007199254740993.0), "9007199254740992e16");
}

// The neighbours of a power of two are at unequal distances: the nearest
// decimal of 16 digits does not read back, but the next one does.
TEST(ShortestDecimalTest, TakesTheFartherOneIfOnlyThatReadsBack) {
  EXPECT_EQ(TextOf(9.007199254740992e15), "9007199254740992e16");
  EXPECT_EQ(TextOf(2.2250738585072014e-308), "22250738585072014e-307");
  EXPECT_EQ(TextOf(9.5367431640625e-7), "95367431640625e-6");
  EXPECT_EQ(TextOf(5.684341886080802e-14), "5684341886080802e-13");
}

}  // namespace
}  // namespace testing
}  // namespace tokenusage
