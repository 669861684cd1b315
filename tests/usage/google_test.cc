// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/usage/google.h"

#include <vector>

#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tokenusage/json/json.h"

namespace tokenusage {
namespace {

using ::tokenusage::testing::IsOk;

TEST(LiveTest, SaysWhichModalitiesContradict) {
  google::v1::LiveUsage usage;
  ASSERT_THAT(ParseJson(R"({"promptTokenCount":75,"promptTokensDetails":[
                            {"modality":"TEXT","tokenCount":420},
                            {"modality":"AUDIO","tokenCount":75}]})",
                        &usage),
              IsOk());
  std::vector<v1::UsageInconsistency> why;
  EXPECT_TRUE(CountUsage(usage, &why).inconsistent());
  ASSERT_EQ(why.size(), 1);
  EXPECT_EQ(why[0].field(), "prompt_tokens_details");
  EXPECT_EQ(why[0].message(),
            "prompt_tokens_details[TEXT] (420) + prompt_tokens_details[AUDIO] "
            "(75) is more than prompt_token_count (75)");
}

}  // namespace
}  // namespace tokenusage
