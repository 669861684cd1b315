// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/record/usage_totals.h"

#include <optional>
#include <string>

#include "gtest/gtest.h"
#include "tokenusage/usage/amount_from_decimal.h"

namespace tokenusage {
namespace {

UsageSum Sum() {
  UsageSum sum;
  sum.record_count = 3;
  sum.inconsistent_record_count = 1;
  sum.unknown_usage_record_count = 2;
  sum.AddMeasure(v1::USAGE_MEASURE_INPUT_TOKENS, {2, *AmountFromDecimal("0")});
  sum.AddMeasure(v1::USAGE_MEASURE_COST_USD,
                 {3, *AmountFromDecimal("1180591620.717411303424")});
  return sum;
}

TEST(UsageTotalsTest, KeepsEachDigit) {
  const v1::UsageTotals totals = ToUsageTotals(Sum());
  EXPECT_EQ(totals.cost_usd().exact(), "1180591620.717411303424");
  EXPECT_EQ(totals.cost_usd().rounded(), 1180591620.7174113);
  EXPECT_EQ(totals.input_tokens().record_count(), 2);
  EXPECT_FALSE(totals.has_output_tokens());
  EXPECT_EQ(FromUsageTotals(totals), Sum());
  EXPECT_EQ(FromUsageTotals(v1::UsageTotals()), UsageSum());
}

TEST(UsageTotalsTest, RefusesWhatIsNoDecimal) {
  v1::UsageTotals totals = ToUsageTotals(Sum());
  totals.mutable_cost_usd()->set_exact("1e3");
  EXPECT_EQ(FromUsageTotals(totals), std::nullopt);
}

TEST(UsageTotalsTest, FindsTotalsByMeasure) {
  const v1::UsageTotals totals = ToUsageTotals(Sum());
  EXPECT_EQ(FindTotal(totals, v1::USAGE_MEASURE_COST_USD), &totals.cost_usd());
  EXPECT_EQ(FindTotal(totals, v1::USAGE_MEASURE_IMAGES), nullptr);
  EXPECT_EQ(NameOf(v1::USAGE_MEASURE_IMAGES), "images");
}

}  // namespace
}  // namespace tokenusage
