// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/usage/amount.h"

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>

#include "absl/numeric/int128.h"
#include "gtest/gtest.h"
#include "tests/support/seed.h"

namespace tokenusage {
namespace {

std::string DecimalOf(double count) {
  return Amount::FromCount(count).ToDecimal();
}

TEST(AmountTest, TakesTheShortestDecimalOfACount) {
  EXPECT_EQ(DecimalOf(0), "0");
  EXPECT_EQ(DecimalOf(-0.0), "0");
  EXPECT_EQ(DecimalOf(1), "1");
  EXPECT_EQ(DecimalOf(100), "100");
  EXPECT_EQ(DecimalOf(8105.75), "8105.75");
  EXPECT_EQ(DecimalOf(7451.29), "7451.29");
  EXPECT_EQ(DecimalOf(0.1), "0.1");
  EXPECT_EQ(DecimalOf(0.1 + 0.2), "0.3");  // 0.30000000000000004
  EXPECT_EQ(DecimalOf(1442.013), "1442.013");
  EXPECT_EQ(DecimalOf(0.000000001), "0.000000001");
  EXPECT_EQ(DecimalOf(123456.123456789), "123456.123456789");
  EXPECT_EQ(DecimalOf(0.000000000001), "0.000000000001");
  EXPECT_EQ(DecimalOf(0.000000150001), "0.000000150001");
  EXPECT_EQ(DecimalOf(123.123456789012), "123.123456789012");
  EXPECT_EQ(DecimalOf(9007199254740991), "9007199254740991");
  EXPECT_EQ(DecimalOf(kMaxCount), "9007199254740992");
  EXPECT_EQ(DecimalOf(4503599627370495.5), "4503599627370495.5");
}

TEST(AmountTest, TakesIntegersAsTheyAre) {
  EXPECT_EQ(Amount::FromInteger(0).ToDecimal(), "0");
  EXPECT_EQ(Amount::FromInteger(8105).ToDecimal(), "8105");
  EXPECT_EQ(Amount::FromInteger(std::int64_t{1} << 53),
            Amount::FromCount(kMaxCount));
}

TEST(AmountTest, RoundsBeyondTwelveDecimalsHalfToEven) {
  EXPECT_EQ(DecimalOf(0.0000000000005), "0");
  EXPECT_EQ(DecimalOf(0.00000000000050000001), "0.000000000001");
  EXPECT_EQ(DecimalOf(0.0000000000015), "0.000000000002");
  EXPECT_EQ(DecimalOf(0.0000000000025), "0.000000000002");
  EXPECT_EQ(DecimalOf(0.0000000000035), "0.000000000004");
  EXPECT_EQ(DecimalOf(1.9999999999999), "2");
  EXPECT_EQ(DecimalOf(1.9999999999994), "1.999999999999");
  EXPECT_EQ(DecimalOf(5e-324), "0");
  EXPECT_EQ(DecimalOf(9.9e-13), "0.000000000001");
  EXPECT_EQ(DecimalOf(1e-27), "0");
}

TEST(AmountTest, AddsWithoutDrift) {
  Amount sum;
  for (int i = 0; i < 1000000; ++i) sum += Amount::FromCount(0.1);
  EXPECT_EQ(sum.ToDecimal(), "100000");
  EXPECT_EQ(sum.ToDouble(), 100000);
}

TEST(AmountTest, HoldsFarMoreThanTheLargestCounts) {
  Amount sum;
  for (int i = 0; i < 5000; ++i) sum += Amount::FromCount(kMaxCount);
  EXPECT_EQ(sum.ToDecimal(), "45035996273704960000");
  sum += Amount::FromCount(0.01);
  EXPECT_EQ(sum.ToDecimal(), "45035996273704960000.01");
  EXPECT_EQ(sum.ToDouble(), 45035996273704960000.0);
  EXPECT_EQ(Amount::FromPicos(absl::Int128Max()).ToDecimal(),
            "170141183460469231731687303.715884105727");
}

TEST(AmountTest, RoundsToDoubleHalfToEven) {
  const auto halves = [](std::uint64_t twice) {
    return Amount::FromPicos(absl::int128(twice) * 500'000'000'000);
  };
  const std::uint64_t base = std::uint64_t{1} << 54;           // 2^53
  EXPECT_EQ(halves(base + 2).ToDouble(), 9007199254740992.0);  // tie: to even
  EXPECT_EQ(halves(base + 3).ToDouble(), 9007199254740994.0);
  EXPECT_EQ(halves(base + 6).ToDouble(), 9007199254740996.0);  // tie: to even
  Amount above_tie = halves(base + 2);
  above_tie += Amount::FromPicos(1);
  EXPECT_EQ(above_tie.ToDouble(), 9007199254740994.0);
  EXPECT_EQ(Amount::FromPicos(1).ToDouble(), 1e-12);
  EXPECT_EQ(Amount().ToDouble(), 0);
}

// Finds the shortest decimal by trial, in picos, half to even: slower and
// simpler than the tested code.
absl::int128 PicosByTrial(double count) {
  char text[64];
  for (int precision = 0; precision <= 16; ++precision) {
    std::snprintf(text, sizeof(text), "%.*e", precision, count);
    if (std::strtod(text, nullptr) == count) break;
  }
  const char* e = std::strchr(text, 'e');
  std::string digits;
  for (const char* p = text; p != e; ++p) {
    if (*p != '.') digits += *p;
  }
  // The point comes after `point` digits; picos have twelve more.
  const int point = 1 + std::atoi(e + 1) + 12;
  absl::int128 picos = 0;
  for (int i = 0; i < point; ++i) {
    picos = 10 * picos + (i < static_cast<int>(digits.size())
                              ? digits[static_cast<std::size_t>(i)] - '0'
                              : 0);
  }
  if (point < 0 || point >= static_cast<int>(digits.size())) return picos;
  const std::string rest = digits.substr(static_cast<std::size_t>(point));
  const std::string half = "5" + std::string(rest.size() - 1, '0');
  if (rest > half || (rest == half && picos % 2 == 1)) ++picos;
  return picos;
}

class RandomCounts {
 public:
  double Next() {
    const std::uint64_t bits = random_();
    switch (bits % 5) {
      case 0:  // few decimals, as providers send
        return static_cast<double>(random_() % 100'000'000) / 100;
      case 1:  // up to and beyond 10^15 hundredths, where the fast path ends
        return static_cast<double>(random_() % 20'000'000'000'000'000) / 100;
      case 2:  // one step off a number of two decimals
        return std::nextafter(
            static_cast<double>(1 + random_() % 1'000'000'000) / 100,
            random_() % 2 == 0 ? 0 : kMaxCount);
      case 3:  // a tie in the thirteenth decimal, or near it
        return static_cast<double>(random_() % 1'000'000'000'000 * 10 + 5) /
               1e13;
      default:  // any bits in the range
        for (;;) {
          const std::uint64_t any = random_() & ~(std::uint64_t{1} << 63);
          double count = 0;
          std::memcpy(&count, &any, sizeof(count));
          if (count <= kMaxCount) return count;
        }
    }
  }

  std::mt19937_64& random() { return random_; }

 private:
  std::mt19937_64 random_{testing::TestSeed()};
};

TEST(AmountTest, EqualsTheShortestDecimalFoundByTrial) {
  RandomCounts counts;
  for (int i = 0; i < 200000; ++i) {
    const double count = counts.Next();
    ASSERT_EQ(Amount::FromCount(count).picos(), PicosByTrial(count))
        << std::hexfloat << count;
  }
}

TEST(AmountTest, EveryHundredthIsExact) {
  for (std::int64_t hundredths = 0; hundredths < 1'000'000; ++hundredths) {
    ASSERT_EQ(Amount::FromCount(static_cast<double>(hundredths) / 100).picos(),
              absl::int128(hundredths) * 10'000'000'000);
  }
}

TEST(AmountTest, DecimalsReadToTheSameDouble) {
  RandomCounts counts;
  for (int i = 0; i < 200000; ++i) {
    absl::uint128 bits =
        absl::MakeUint128(counts.random()() >> 1, counts.random()());
    bits >>= static_cast<int>(counts.random()() % 127);
    const auto amount = Amount::FromPicos(static_cast<absl::int128>(bits));
    const std::string decimal = amount.ToDecimal();
    ASSERT_EQ(amount.ToDouble(), std::strtod(decimal.c_str(), nullptr))
        << decimal;
  }
}

}  // namespace
}  // namespace tokenusage
