// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/cli/message_types.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace tokenusage {
namespace {

using ::testing::HasSubstr;
using testing::StatusIs;

auto IsInvalid(const std::string& words) {
  return StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(words));
}

TEST(MessageTypesTest, TakesFullNamesAndLastParts) {
  for (const char* name : {"tokenusage.orq.v2.PostV2ProxyImagesEditsUsage",
                           "PostV2ProxyImagesEditsUsage"}) {
    ASSERT_OK_AND_ASSIGN(const auto* message, FindMessageType(name));
    EXPECT_EQ(message->GetTypeName(),
              "tokenusage.orq.v2.PostV2ProxyImagesEditsUsage");
  }
}

TEST(MessageTypesTest, RefusesOtherNamesAndListsThoseThereAre) {
  for (const char* name : {"", "Usage", "v2.PostV2ProxyImagesEditsUsage",
                           "postv2proxyimageseditsusage"}) {
    EXPECT_THAT(FindMessageType(name),
                IsInvalid("PostV2ProxyImagesEditsUsage"));
  }
}

TEST(MessageTypesTest, FindsTheFieldOfEachKindOfUsage) {
  ASSERT_OK_AND_ASSIGN(const auto* edits,
                       FindUsageField("PostV2ProxyImagesEditsUsage"));
  EXPECT_EQ(edits->name(), "images_edits");
}

TEST(MessageTypesTest, ListsOnlyKindsOfUsageForReport) {
  for (const char* name : {"PostV2ProxyImagesEditsInputTokensDetails",
                           "UsageRecord", "NoSuchUsage"}) {
    const auto field = FindUsageField(name);
    EXPECT_THAT(field, IsInvalid("expected one of PostV2ProxyImagesEditsUsage, "
                                 "PostV2ProxyImagesVariationsUsage, found"));
  }
}

}  // namespace
}  // namespace tokenusage
