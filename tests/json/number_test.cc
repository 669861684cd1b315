// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/json/internal/number.h"

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>

#include "gtest/gtest.h"
#include "tests/support/seed.h"
#include "tokenusage/json/internal/number_writer.h"

namespace tokenusage {
namespace json_internal {
namespace {

using testing::TestSeed;

std::string Written(double value) {
  char text[kNumberRoom];
  char* const end = PutDouble(value, text);
  EXPECT_NE(end, nullptr);
  return end == nullptr ? "" : std::string(text, end);
}

std::uint64_t BitsOf(double value) {
  std::uint64_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return bits;
}

double FromBits(std::uint64_t bits) {
  double value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

// Expects that TakeDouble takes the number from texts that continue after it,
// or takes none if `expected` is an infinity.
void ExpectTaken(const std::string& number, double expected) {
  for (const std::string rest : {",", "}", " 1", "\n5", "]"}) {
    std::string text = number + rest;
    text.append(kNumberWindow, '\0');
    double value = -1;
    const char* const after = TakeDouble(
        text.data(), text.data() + number.size() + rest.size(), &value);
    ASSERT_EQ(after != nullptr, !std::isinf(expected)) << number;
    if (after == nullptr) continue;
    EXPECT_EQ(after, text.data() + number.size()) << number;
    EXPECT_EQ(BitsOf(value), BitsOf(expected)) << number;
  }
}

// Expects the double that strtod reads. glibc's strtod rounds correctly, and
// the test runs in the "C" locale.
void ExpectReadAsStrtod(const std::string& number) {
  const double expected = std::strtod(number.c_str(), nullptr);
  double value = -1;
  ASSERT_TRUE(IsNumber(number)) << number;
  ASSERT_EQ(ParseNumber(number, &value), !std::isinf(expected)) << number;
  if (!std::isinf(expected)) {
    EXPECT_EQ(BitsOf(value), BitsOf(expected)) << number;
  }
  ExpectTaken(number, expected);
}

TEST(NumberTest, GrammarIsRfc8259) {
  for (const char* good : {"0", "-0", "10", "1.5", "-1.50", "1e5", "1E+05",
                           "0.0e-0", "123456789012345678901234567890"}) {
    EXPECT_TRUE(IsNumber(good)) << good;
  }
  for (const char* bad : {"", "-", "+1", "01", "-01", ".5", "5.", "1e", "1e+",
                          "1.e5", "0x1", "1 ", " 1", "1,5", "NaN", "--1"}) {
    EXPECT_FALSE(IsNumber(bad)) << bad;
  }
}

TEST(NumberTest, ScanStopsWhereTheGrammarDoes) {
  EXPECT_EQ(ScanNumber("12.5,").length, 4U);
  EXPECT_TRUE(ScanNumber("12.5,").valid);
  EXPECT_EQ(ScanNumber("01").length, 1U);
  EXPECT_TRUE(ScanNumber("01").valid);
  EXPECT_EQ(ScanNumber("5.x").length, 2U);
  EXPECT_FALSE(ScanNumber("5.x").valid);
}

TEST(NumberTest, WritesAsEcmaScript) {
  EXPECT_EQ(Written(0), "0");
  EXPECT_EQ(Written(-0.0), "-0");
  EXPECT_EQ(Written(100), "100");
  EXPECT_EQ(Written(8105.75), "8105.75");
  EXPECT_EQ(Written(-8105.75), "-8105.75");
  EXPECT_EQ(Written(1e15), "1000000000000000");
  EXPECT_EQ(Written(9007199254740992), "9007199254740992");
  EXPECT_EQ(Written(1e20), "100000000000000000000");
  EXPECT_EQ(Written(1e21), "1e+21");
  EXPECT_EQ(Written(1.25e21), "1.25e+21");
  EXPECT_EQ(Written(0.000001), "0.000001");
  EXPECT_EQ(Written(0.0000015), "0.0000015");
  EXPECT_EQ(Written(0.0000001), "1e-7");
  EXPECT_EQ(Written(5e-324), "5e-324");
  EXPECT_EQ(Written(1.7976931348623157e308), "1.7976931348623157e+308");
  EXPECT_EQ(Written(1152921504606846976), "1152921504606847000");
}

TEST(NumberTest, EveryDoubleSurvives) {
  std::mt19937_64 random(TestSeed());
  for (int i = 0; i < 200000; ++i) {
    const double value = FromBits(random());
    if (!std::isfinite(value)) continue;
    const std::string written = Written(value);
    double read = 0;
    ASSERT_TRUE(IsNumber(written)) << written;
    ASSERT_TRUE(ParseNumber(written, &read)) << written;
    ASSERT_EQ(BitsOf(read), BitsOf(value)) << written;
    ASSERT_LE(written.size(), 25U) << written;
  }
}

TEST(NumberTest, RandomDecimalsAreCorrectlyRounded) {
  std::mt19937_64 random(TestSeed());
  const auto digits = [&random](std::size_t most) {
    std::string text(1, static_cast<char>('1' + random() % 9));
    for (std::size_t n = random() % most; n > 0; --n) {
      text += static_cast<char>('0' + random() % 10);
    }
    return text;
  };
  for (int i = 0; i < 100000; ++i) {
    std::string number = (random() % 2 != 0 ? "-" : "") + digits(25);
    if (random() % 2 != 0) number += "." + digits(25);
    if (random() % 2 != 0) {
      number += "e" + std::to_string(static_cast<int>(random() % 700) - 350);
    }
    ExpectReadAsStrtod(number);
  }
}

TEST(NumberTest, HalfwayCasesAreCorrectlyRounded) {
  std::mt19937_64 random(TestSeed());
  char text[1500];
  for (int i = 0; i < 5000; ++i) {
    const double value = std::fabs(FromBits(random()));
    const double next = std::nextafter(value, HUGE_VAL);
    if (!std::isfinite(value) || !std::isfinite(next)) continue;
    // Exact in long double, so printed exactly.
    const long double half =
        (static_cast<long double>(value) + static_cast<long double>(next)) / 2;
    std::snprintf(text, sizeof(text), "%.1100Le", half);
    std::string number = text;
    ExpectReadAsStrtod(number);
    const std::size_t e = number.find('e');
    ExpectReadAsStrtod(number.substr(0, e) + "1" + number.substr(e));
  }
}

TEST(NumberTest, EdgesOfDouble) {
  for (const char* number :
       {"1.7976931348623157e308", "1.7976931348623158e308",
        "1.7976931348623159e308", "179769313486231580793e289", "1e309",
        "-1e400", "5e-324", "2.4703282292062328e-324",
        "2.4703282292062327208e-324", "2.4703282292062327e-324", "1e-400",
        "-1e-99999999999999999999", "1e99999999999999999999", "0e999999999999",
        "2.2250738585072011e-308", "2.2250738585072012e-308",
        "9007199254740993", "9007199254740992.99999999999999999999"}) {
    ExpectReadAsStrtod(number);
  }
  const std::string zeros(2000, '0');
  ExpectReadAsStrtod("0." + zeros + "1e2001");
  ExpectReadAsStrtod("1" + zeros + "e-2000");
  ExpectReadAsStrtod("1" + zeros);
  ExpectReadAsStrtod("0." + zeros + "1");
}

// Numbers of the lengths that TakeDouble reads with one division, and longer.
TEST(NumberTest, PlainDecimalsAreCorrectlyRounded) {
  std::mt19937_64 random(TestSeed());
  for (int i = 0; i < 300000; ++i) {
    const std::size_t whole = 1 + random() % 10, decimals = random() % 18;
    std::string number(1, static_cast<char>('1' + random() % 9));
    while (number.size() < whole) {
      number += static_cast<char>('0' + random() % 10);
    }
    if (decimals > 0) number += '.';
    for (std::size_t n = 0; n < decimals; ++n) {
      number += static_cast<char>('0' + random() % 10);
    }
    ExpectTaken(number, std::strtod(number.c_str(), nullptr));
  }
}

TEST(NumberTest, TiesGoToTheEvenNeighbour) {
  for (const char* number :
       {"562949953421312.0625", "562949953421312.1875", "562949953421313.0625",
        "4503599627370497.5", "4503599627370496.5", "9007199254740993",
        "281474976710656.03125", "0.500000000000000055511"}) {
    ExpectReadAsStrtod(number);
  }
}

TEST(NumberTest, ShortIntegersAreDigitsAlone) {
  const auto taken = [](std::string text) {
    text.append(kNumberWindow, '\0');
    std::uint32_t value = 0;
    const char* const after = TakeShortInteger(text.data(), &value);
    return after == nullptr ? std::string("none")
                            : std::to_string(value) + " in " +
                                  std::to_string(after - text.data());
  };
  EXPECT_EQ(taken("0,"), "0 in 1");
  EXPECT_EQ(taken("7}"), "7 in 1");
  EXPECT_EQ(taken("1234567]"), "1234567 in 7");
  EXPECT_EQ(taken("120 "), "120 in 3");
  for (const char* other : {"12345678,", "00,", "01,", "-1,", "1.0,", "1e2,",
                            "1E2,", "\"1\",", "x", "", "/1", ":1"}) {
    EXPECT_EQ(taken(other), "none") << other;
  }
}

TEST(NumberTest, FloatIsRoundedOnce) {
  // Rounding to a double first would round up to a tie between two floats, and
  // then up to the even one.
  float value = 0;
  ASSERT_TRUE(ParseNumber("1.00000017881393432617187499", &value));
  EXPECT_EQ(value, std::strtof("1.00000017881393432617187499", nullptr));
  EXPECT_FALSE(ParseNumber("3.4028236e38", &value));
  char text[kNumberRoom];
  EXPECT_EQ(std::string(text, PutFloat(0.1F, text)), "0.1");
}

TEST(NumberTest, IntegersAreExact) {
  std::int64_t value = 0;
  for (const char* hundred : {"100", "1e2", "100.0", "0.1e3", "10000e-2"}) {
    ASSERT_TRUE(ParseNumber(hundred, &value)) << hundred;
    EXPECT_EQ(value, 100) << hundred;
  }
  EXPECT_TRUE(ParseNumber("-9223372036854775808", &value));
  EXPECT_EQ(value, INT64_MIN);
  EXPECT_TRUE(ParseNumber("9223372036854775807.000", &value));
  EXPECT_EQ(value, INT64_MAX);
  for (const char* bad : {"9223372036854775808", "-9223372036854775809", "1.5",
                          "1e-1", "1e19", "1e99999999999999999999",
                          "1e-99999999999999999999", "18446744073709551616"}) {
    EXPECT_FALSE(ParseNumber(bad, &value)) << bad;
  }
  std::uint64_t wide = 1;
  EXPECT_TRUE(ParseNumber("-0", &wide));
  EXPECT_EQ(wide, 0U);
  EXPECT_TRUE(ParseNumber("18446744073709551615", &wide));
  EXPECT_EQ(wide, UINT64_MAX);
  EXPECT_FALSE(ParseNumber("-1", &wide));
  EXPECT_FALSE(ParseNumber("18446744073709551616", &wide));
  EXPECT_TRUE(ParseNumber("0e99999999999999999999", &wide));
}

TEST(NumberTest, LargeIntegersAreQuoted) {
  const auto written = [](auto value) {
    char text[kNumberRoom];
    return std::string(text, PutInteger(value, text));
  };
  EXPECT_EQ(written(std::int64_t{9007199254740992}), "9007199254740992");
  EXPECT_EQ(written(std::int64_t{9007199254740993}), "\"9007199254740993\"");
  EXPECT_EQ(written(std::int64_t{-9007199254740992}), "-9007199254740992");
  EXPECT_EQ(written(INT64_MIN), "\"-9223372036854775808\"");
  EXPECT_EQ(written(std::uint64_t{UINT64_MAX}), "\"18446744073709551615\"");
}

}  // namespace
}  // namespace json_internal
}  // namespace tokenusage
