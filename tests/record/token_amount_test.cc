// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/record/token_amount.h"

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
  return TokenAmount::FromCount(count).ToDecimal();
}

TEST(TokenAmountTest, TakesTheShortestDecimalOfACount) {
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
  EXPECT_EQ(DecimalOf(9007199254740991), "9007199254740991");
  EXPECT_EQ(DecimalOf(kMaxTokenCount), "9007199254740992");
  EXPECT_EQ(DecimalOf(4503599627370495.5), "4503599627370495.5");
}

TEST(TokenAmountTest, RoundsBeyondNineDecimalsHalfToEven) {
  EXPECT_EQ(DecimalOf(0.0000000005), "0");
  EXPECT_EQ(DecimalOf(0.00000000050000001), "0.000000001");
  EXPECT_EQ(DecimalOf(0.0000000015), "0.000000002");
  EXPECT_EQ(DecimalOf(0.0000000025), "0.000000002");
  EXPECT_EQ(DecimalOf(0.0000000035), "0.000000004");
  EXPECT_EQ(DecimalOf(1.9999999999), "2");
  EXPECT_EQ(DecimalOf(1.9999999994), "1.999999999");
  EXPECT_EQ(DecimalOf(5e-324), "0");
  EXPECT_EQ(DecimalOf(9.9e-10), "0.000000001");
  EXPECT_EQ(DecimalOf(1e-27), "0");
}

TEST(TokenAmountTest, AddsWithoutDrift) {
  TokenAmount sum;
  for (int i = 0; i < 1000000; ++i) sum += TokenAmount::FromCount(0.1);
  EXPECT_EQ(sum.ToDecimal(), "100000");
  EXPECT_EQ(sum.ToDouble(), 100000);
}

TEST(TokenAmountTest, HoldsFarMoreThanTheLargestCounts) {
  TokenAmount sum;
  for (int i = 0; i < 5000; ++i) sum += TokenAmount::FromCount(kMaxTokenCount);
  EXPECT_EQ(sum.ToDecimal(), "45035996273704960000");
  sum += TokenAmount::FromCount(0.01);
  EXPECT_EQ(sum.ToDecimal(), "45035996273704960000.01");
  EXPECT_EQ(sum.ToDouble(), 45035996273704960000.0);
  EXPECT_EQ(TokenAmount::FromNanos(absl::Int128Max()).ToDecimal(),
            "170141183460469231731687303715.884105727");
}

TEST(TokenAmountTest, RoundsToDoubleHalfToEven) {
  const auto halves = [](std::uint64_t twice) {
    return TokenAmount::FromNanos(absl::int128(twice) * 500'000'000);
  };
  const std::uint64_t base = std::uint64_t{1} << 54;           // 2^53 tokens
  EXPECT_EQ(halves(base + 2).ToDouble(), 9007199254740992.0);  // tie: to even
  EXPECT_EQ(halves(base + 3).ToDouble(), 9007199254740994.0);
  EXPECT_EQ(halves(base + 6).ToDouble(), 9007199254740996.0);  // tie: to even
  TokenAmount above_tie = halves(base + 2);
  above_tie += TokenAmount::FromNanos(1);
  EXPECT_EQ(above_tie.ToDouble(), 9007199254740994.0);
  EXPECT_EQ(TokenAmount::FromNanos(1).ToDouble(), 1e-9);
  EXPECT_EQ(TokenAmount().ToDouble(), 0);
}

// Finds the shortest decimal by trial, in nanos, half to even: slower and
// simpler than the tested code.
absl::int128 NanosByTrial(double count) {
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
  // The point comes after `point` digits; nanos have nine more.
  const int point = 1 + std::atoi(e + 1) + 9;
  absl::int128 nanos = 0;
  for (int i = 0; i < point; ++i) {
    nanos = 10 * nanos + (i < static_cast<int>(digits.size())
                              ? digits[static_cast<std::size_t>(i)] - '0'
                              : 0);
  }
  if (point < 0 || point >= static_cast<int>(digits.size())) return nanos;
  const std::string rest = digits.substr(static_cast<std::size_t>(point));
  const std::string half = "5" + std::string(rest.size() - 1, '0');
  if (rest > half || (rest == half && nanos % 2 == 1)) ++nanos;
  return nanos;
}

class RandomCounts {
 public:
  double Next() {
    const std::uint64_t bits = random_();
    switch (bits % 5) {
      case 0:  // few decimals, as providers send
        return static_cast<double>(random_() % 100'000'000) / 100;
      case 1:  // at and near the end of the fast path
        return static_cast<double>(random_() % 20'000'000'000'000'000) / 100;
      case 2:  // one step off a number of two decimals
        return std::nextafter(
            static_cast<double>(1 + random_() % 1'000'000'000) / 100,
            random_() % 2 == 0 ? 0 : kMaxTokenCount);
      case 3:  // a tie in the tenth decimal, or near it
        return static_cast<double>(random_() % 1'000'000'000'000 * 10 + 5) /
               1e10;
      default:  // any bits in the range
        for (;;) {
          const std::uint64_t any = random_() & ~(std::uint64_t{1} << 63);
          double count = 0;
          std::memcpy(&count, &any, sizeof(count));
          if (count <= kMaxTokenCount) return count;
        }
    }
  }

  std::mt19937_64& random() { return random_; }

 private:
  std::mt19937_64 random_{testing::TestSeed()};
};

TEST(TokenAmountTest, EqualsTheShortestDecimalFoundByTrial) {
  RandomCounts counts;
  for (int i = 0; i < 200000; ++i) {
    const double count = counts.Next();
    ASSERT_EQ(TokenAmount::FromCount(count).nanos(), NanosByTrial(count))
        << std::hexfloat << count;
  }
}

TEST(TokenAmountTest, EveryHundredthIsExact) {
  for (std::int64_t hundredths = 0; hundredths < 1'000'000; ++hundredths) {
    ASSERT_EQ(
        TokenAmount::FromCount(static_cast<double>(hundredths) / 100).nanos(),
        absl::int128(hundredths) * 10'000'000);
  }
}

TEST(TokenAmountTest, DecimalsReadToTheSameDouble) {
  RandomCounts counts;
  for (int i = 0; i < 200000; ++i) {
    absl::uint128 bits =
        absl::MakeUint128(counts.random()() >> 1, counts.random()());
    bits >>= static_cast<int>(counts.random()() % 127);
    const auto amount = TokenAmount::FromNanos(static_cast<absl::int128>(bits));
    const std::string decimal = amount.ToDecimal();
    ASSERT_EQ(amount.ToDouble(), std::strtod(decimal.c_str(), nullptr))
        << decimal;
  }
}

}  // namespace
}  // namespace tokenusage
