// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/sqlite/table/measure_sums.h"

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>

#include "absl/numeric/int128.h"
#include "absl/strings/escaping.h"
#include "gtest/gtest.h"
#include "tests/support/seed.h"

namespace tokenusage::testing {
namespace {

// Returns the encoding in hexadecimal.
std::string Encoded(const UsageSum& sum) {
  std::string bytes = "what was there before";
  EncodeMeasureSums(sum, &bytes);
  return absl::BytesToHexString(bytes);
}

bool Add(const std::string& hex, UsageSum* sum) {
  // Not absl::HexStringToBytes, whose signature differs between versions.
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  return AddMeasureSums(bytes, sum);
}

bool IsValid(const std::string& hex) {
  UsageSum sum;
  return Add(hex, &sum);
}

// Existing database files hold these bytes.
TEST(MeasureSumsTest, HoldsTheMeasuresThatOccur) {
  UsageSum sum;
  EXPECT_EQ(Encoded(sum), "");
  sum.AddMeasure(v1::USAGE_MEASURE_COST_USD, {300, Amount::FromPicos(1)});
  EXPECT_EQ(Encoded(sum), "22ac020101");
  sum.AddMeasure(v1::USAGE_MEASURE_INPUT_TOKENS, {1, Amount::FromInteger(1)});
  EXPECT_EQ(Encoded(sum), "0201050010a5d4e822ac020101");
  sum.AddMeasure(v1::USAGE_MEASURE_TOTAL_TOKENS, {127, Amount()});
  EXPECT_EQ(Encoded(sum), "017f000201050010a5d4e822ac020101");
}

TEST(MeasureSumsTest, AddsToWhatIsThere) {
  UsageSum sum;
  EXPECT_TRUE(Add("0201050010a5d4e822ac020101", &sum));
  EXPECT_TRUE(Add("", &sum));
  EXPECT_TRUE(Add("017f000201050010a5d4e8", &sum));
  EXPECT_EQ(Encoded(sum),
            "017f000202060020"
            "4aa9d1"
            "0122ac020101");
  EXPECT_EQ(sum.record_count, 0);
}

TEST(MeasureSumsTest, EveryOtherTextIsRefused) {
  ASSERT_TRUE(IsValid("010100020100"));
  EXPECT_FALSE(IsValid("000100"));        // no measure
  EXPECT_FALSE(IsValid("3f0100"));        // one that is not known
  EXPECT_FALSE(IsValid("ff0100"));        // the same
  EXPECT_FALSE(IsValid("020100010100"));  // not in order
  EXPECT_FALSE(IsValid("010100010100"));  // twice
  EXPECT_FALSE(IsValid("010000"));        // no records
  EXPECT_FALSE(IsValid("01810000"));      // a count with a zero at its end
  EXPECT_FALSE(IsValid("01ffffffffffffffffff0100"));  // a count of 70 bits
  EXPECT_TRUE(IsValid("01ffffffffffffffff7f00"));     // of 63
  EXPECT_FALSE(IsValid("01010100"));  // an amount with a zero at its end
  EXPECT_FALSE(
      IsValid("01011100000000000000000000000000000000"
              "01"));
  // Negative.
  EXPECT_FALSE(IsValid("010110ffffffffffffffffffffffffffffffff"));
  EXPECT_TRUE(IsValid("010110ffffffffffffffffffffffffffffff7f"));
  const std::string whole = "0201050010a5d4e822ac020101";
  for (std::size_t size = 2; size < whole.size(); size += 2) {
    EXPECT_EQ(IsValid(whole.substr(0, size)), size == 16) << size;
  }
  EXPECT_FALSE(IsValid(whole + "00"));
}

TEST(MeasureSumsTest, RandomSumsComeBack) {
  std::mt19937_64 random(TestSeed());
  for (int round = 0; round < 20000; ++round) {
    UsageSum sum;
    for (int measure = 1; measure <= kMaxUsageMeasure; ++measure) {
      if (random() % 4 != 0) continue;
      const absl::uint128 picos = absl::MakeUint128(random() >> 1, random()) >>
                                  static_cast<int>(random() % 127);
      sum.AddMeasure(
          static_cast<v1::UsageMeasure>(measure),
          {static_cast<std::int64_t>(1 + (random() >> 2 >> (random() % 60))),
           Amount::FromPicos(static_cast<absl::int128>(picos))});
    }
    UsageSum read;
    ASSERT_TRUE(Add(Encoded(sum), &read)) << Encoded(sum);
    ASSERT_TRUE(read == sum) << Encoded(sum);
  }
}

}  // namespace
}  // namespace tokenusage::testing
