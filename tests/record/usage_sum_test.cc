// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/record/usage_sum.h"

#include <initializer_list>
#include <string>

#include "gtest/gtest.h"
#include "tests/support/records.h"
#include "tokenusage/record/record_counts.h"

namespace tokenusage {
namespace {

UsageCounts Counts(v1::UsageMeasure measure, double count) {
  UsageCounts counts;
  counts.Set(measure, Amount::FromCount(count));
  return counts;
}

std::string TextOf(const MeasureSum* sum) {
  if (sum == nullptr) return "none";
  return sum->amount.ToDecimal() + " of " + std::to_string(sum->record_count);
}

TEST(UsageSumTest, HoldsOnlyWhatARecordStates) {
  UsageSum sum;
  EXPECT_TRUE(sum.measures().empty());
  // Out of order, so that they are inserted before others.
  sum.Add(Counts(v1::USAGE_MEASURE_COST_USD, 0.000000000001));
  sum.Add(Counts(v1::USAGE_MEASURE_TOTAL_TOKENS, 8105.75));
  sum.Add(Counts(v1::USAGE_MEASURE_IMAGES, 0));
  sum.Add(Counts(v1::USAGE_MEASURE_TOTAL_TOKENS, 100));
  sum.Add(UsageCounts());
  EXPECT_EQ(sum.record_count, 5);
  EXPECT_EQ(sum.inconsistent_record_count, 0);
  EXPECT_EQ(TextOf(sum.Find(v1::USAGE_MEASURE_TOTAL_TOKENS)), "8205.75 of 2");
  EXPECT_EQ(TextOf(sum.Find(v1::USAGE_MEASURE_INPUT_TOKENS)), "none");
  EXPECT_EQ(TextOf(sum.Find(v1::USAGE_MEASURE_IMAGES)), "0 of 1");
  EXPECT_EQ(TextOf(sum.Find(v1::USAGE_MEASURE_COST_USD)),
            "0.000000000001 of 1");
  std::string visited;
  sum.ForEach([&visited](v1::UsageMeasure measure, const MeasureSum& part) {
    visited += std::to_string(measure) + ": " + TextOf(&part) + "\n";
  });
  EXPECT_EQ(visited, "1: 8205.75 of 2\n28: 0 of 1\n34: 0.000000000001 of 1\n");
}

TEST(UsageSumTest, CountsInconsistentAndUnknownRecords) {
  UsageSum sum;
  UsageCounts inconsistent = Counts(v1::USAGE_MEASURE_PAGES, 3);
  inconsistent.set_inconsistent();
  UsageCounts unknown;
  unknown.set_unknown();
  sum.Add(inconsistent);
  sum.Add(unknown);
  sum.Add(unknown);
  EXPECT_EQ(sum.record_count, 3);
  EXPECT_EQ(sum.inconsistent_record_count, 1);
  EXPECT_EQ(sum.unknown_usage_record_count, 2);
  EXPECT_EQ(TextOf(sum.Find(v1::USAGE_MEASURE_PAGES)), "3 of 1");
}

TEST(UsageSumTest, ASumOfSumsIsTheSumOfTheirRecords) {
  UsageCounts unknown;
  unknown.set_unknown();
  const UsageCounts record = CountRecord(testing::ValidRecord());
  ASSERT_TRUE(record.inconsistent());
  const UsageCounts pages = Counts(v1::USAGE_MEASURE_PAGES, 2);
  UsageSum all;
  UsageSum first;
  UsageSum second;
  for (const UsageCounts* counts : std::initializer_list<const UsageCounts*>{
           &record, &unknown, &pages, &record}) {
    all.Add(*counts);
    (counts == &record ? first : second).Add(*counts);
  }
  UsageSum sum = second;
  EXPECT_FALSE(sum == all);
  sum.Add(first);
  EXPECT_TRUE(sum == all);
  EXPECT_EQ(TextOf(sum.Find(v1::USAGE_MEASURE_TOTAL_TOKENS)), "16211.5 of 2");
}

TEST(UsageSumTest, ForgetsMeasuresThatNoRecordIsLeftOf) {
  UsageCounts unknown;
  unknown.set_unknown();
  UsageSum sum;
  const UsageCounts record = CountRecord(testing::ValidRecord());
  sum.Add(record);
  const UsageSum before = sum;
  sum.Add(unknown);
  sum.Add(Counts(v1::USAGE_MEASURE_PAGES, 0));
  sum.Add(Counts(v1::USAGE_MEASURE_PAGES, 0.1));
  sum.Add(Counts(v1::USAGE_MEASURE_COST_USD, 2));
  sum.Subtract(Counts(v1::USAGE_MEASURE_PAGES, 0.1));
  EXPECT_EQ(TextOf(sum.Find(v1::USAGE_MEASURE_PAGES)), "0 of 1");
  sum.Subtract(Counts(v1::USAGE_MEASURE_PAGES, 0));
  EXPECT_EQ(sum.Find(v1::USAGE_MEASURE_PAGES), nullptr);
  sum.Subtract(unknown);
  sum.Subtract(Counts(v1::USAGE_MEASURE_COST_USD, 2));
  EXPECT_TRUE(sum == before);
  sum.Subtract(record);
  EXPECT_TRUE(sum == UsageSum());
}

TEST(UsageSumTest, AChangeMayBeNegativeButNoSumOfRecords) {
  const UsageCounts two = Counts(v1::USAGE_MEASURE_PAGES, 2);
  UsageSum sum;
  sum.Add(two);
  EXPECT_TRUE(sum.IsOfRecords());

  // One record replaced by another.
  UsageSum change;
  change.Subtract(two);
  EXPECT_EQ(TextOf(change.Find(v1::USAGE_MEASURE_PAGES)), "-2 of -1");
  EXPECT_FALSE(change.IsOfRecords());
  change.Add(Counts(v1::USAGE_MEASURE_PAGES, 0.5));
  EXPECT_EQ(change.record_count, 0);
  EXPECT_EQ(TextOf(change.Find(v1::USAGE_MEASURE_PAGES)), "-1.5 of 0");
  sum.Add(change);
  EXPECT_EQ(TextOf(sum.Find(v1::USAGE_MEASURE_PAGES)), "0.5 of 1");
  EXPECT_TRUE(sum.IsOfRecords());

  // Records that were never added.
  UsageSum wrong = sum;
  wrong.Subtract(Counts(v1::USAGE_MEASURE_PAGES, 0.6));
  EXPECT_FALSE(wrong.IsOfRecords());
  wrong = sum;
  wrong.Add(UsageCounts());
  wrong.Subtract(Counts(v1::USAGE_MEASURE_IMAGES, 0));
  EXPECT_FALSE(wrong.IsOfRecords());
}

}  // namespace
}  // namespace tokenusage
