// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/record/token_counts.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/records.h"

namespace tokenusage {
namespace {

std::vector<std::string> Decimals(const TokenCounts& counts) {
  std::vector<std::string> decimals;
  for (const TokenMeasure measure : kTokenMeasures) {
    const auto& amount = counts[measure];
    decimals.push_back(amount ? amount->ToDecimal() : "none");
  }
  return decimals;
}

using Texts = std::vector<std::string>;

TEST(TokenCountsTest, TakesEachCountFromItsField) {
  v1::UsageRecord record = testing::ValidRecord();
  EXPECT_EQ(Decimals(CountsOf(record)),
            (Texts{"8105.75", "7451.29", "1442.01", "5727.82", "1501.66"}));

  auto* variations = record.mutable_orq_images_variations();
  variations->set_total_tokens(1);
  variations->set_input_tokens(2);
  variations->set_output_tokens(3);
  variations->mutable_input_tokens_details()->set_text_tokens(4);
  variations->mutable_input_tokens_details()->set_image_tokens(5);
  EXPECT_EQ(Decimals(CountsOf(record)), (Texts{"1", "2", "3", "4", "5"}));
}

TEST(TokenCountsTest, AbsentAndZeroDiffer) {
  v1::UsageRecord record = testing::ValidRecord();
  auto* usage = record.mutable_orq_images_edits();
  usage->clear_total_tokens();
  usage->set_input_tokens(0);
  usage->clear_input_tokens_details();
  EXPECT_EQ(Decimals(CountsOf(record)),
            (Texts{"none", "0", "1442.01", "none", "none"}));
  record.clear_usage();
  EXPECT_EQ(Decimals(CountsOf(record)), Texts(5, "none"));
}

TEST(TokenCountsTest, ASumIsEmptyWhileNoPartCarriesTheCount) {
  TokenCounts sum;
  TokenCounts part;
  part[TokenMeasure::kInput] = TokenAmount::FromCount(0);
  part[TokenMeasure::kOutput] = TokenAmount::FromCount(1.5);
  sum.Add(part);
  sum.Add(TokenCounts());
  sum.Add(part);
  EXPECT_EQ(Decimals(sum), (Texts{"none", "0", "3", "none", "none"}));
}

TEST(UsageSumTest, AddsRecordsAndCounts) {
  UsageSum sum;
  const UsageSum one{1, CountsOf(testing::ValidRecord())};
  sum.Add(one);
  sum.Add(one);
  EXPECT_EQ(sum.record_count, 2);
  EXPECT_EQ(Decimals(sum.counts),
            (Texts{"16211.5", "14902.58", "2884.02", "11455.64", "3003.32"}));
  EXPECT_FALSE(sum == one);
}

}  // namespace
}  // namespace tokenusage
