// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/usage/orq.h"

#include "gtest/gtest.h"

namespace tokenusage {
namespace {

TEST(OrqTest, DoesNotReplaceACountThatIsOutOfRange) {
  orq::v2::PostV2ProxyImagesEditsUsage usage;
  usage.mutable_input_tokens_details()->set_text_tokens(1);
  usage.mutable_input_tokens_details()->set_image_tokens(2);
  UsageCounts counts = CountUsage(usage);
  EXPECT_TRUE(counts.Has(v1::USAGE_MEASURE_INPUT_TOKENS));
  EXPECT_FALSE(counts.out_of_range());

  usage.set_input_tokens(-1);
  counts = CountUsage(usage);
  EXPECT_FALSE(counts.Has(v1::USAGE_MEASURE_INPUT_TOKENS));
  EXPECT_TRUE(counts.out_of_range());
}

}  // namespace
}  // namespace tokenusage
