// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/usage/amount_from_decimal.h"

#include <string>

#include "absl/numeric/int128.h"
#include "gtest/gtest.h"

namespace tokenusage {
namespace {

TEST(AmountFromDecimalTest, ReadsWhatToDecimalWrites) {
  for (const absl::int128 picos :
       {absl::int128(0), absl::int128(1), absl::int128(1'000'000'000'000),
        absl::int128(8'105'750'000'000'000), absl::Int128Max() - 1,
        absl::Int128Max()}) {
    const Amount amount = Amount::FromPicos(picos);
    EXPECT_EQ(AmountFromDecimal(amount.ToDecimal()), amount)
        << amount.ToDecimal();
  }
  EXPECT_EQ(AmountFromDecimal("00.50"), Amount::FromCount(0.5));
  EXPECT_EQ(AmountFromDecimal("0.50000000000000000"), Amount::FromCount(0.5));
}

TEST(AmountFromDecimalTest, RefusesOtherTexts) {
  for (const char* text :
       {"", ".", "1.", ".5", "-1", "+1", "1e3", " 1", "1 ", "1,5", "1.5.5",
        "0.0000000000001", "170141183460469231731687304",
        "170141183460469231731687303.715884105728", "nan"}) {
    EXPECT_FALSE(AmountFromDecimal(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace tokenusage
