// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/cli/message_types.h"

#include <string>

#include "gtest/gtest.h"

namespace tokenusage {
namespace {

TEST(MessageTypesTest, TakesFullNamesAndLastParts) {
  for (const char* name : {"tokenusage.orq.v2.PostV2ProxyImagesEditsUsage",
                           "PostV2ProxyImagesEditsUsage"}) {
    const auto message = FindMessageType(name);
    ASSERT_TRUE(message.ok()) << message.status();
    EXPECT_EQ((*message)->GetTypeName(),
              "tokenusage.orq.v2.PostV2ProxyImagesEditsUsage");
  }
}

TEST(MessageTypesTest, RefusesOtherNamesAndListsThoseThereAre) {
  for (const char* name : {"", "Usage", "v2.PostV2ProxyImagesEditsUsage",
                           "postv2proxyimageseditsusage"}) {
    const auto message = FindMessageType(name);
    EXPECT_EQ(message.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_NE(message.status().message().find("PostV2ProxyImagesEditsUsage"),
              std::string::npos);
  }
}

TEST(MessageTypesTest, FindsTheFieldOfEachKindOfUsage) {
  const auto edits = FindUsageField("PostV2ProxyImagesEditsUsage");
  ASSERT_TRUE(edits.ok()) << edits.status();
  EXPECT_EQ((*edits)->name(), "images_edits");
  EXPECT_FALSE(FindUsageField("PostV2ProxyImagesEditsInputTokensDetails").ok());
  EXPECT_FALSE(FindUsageField("UsageRecord").ok());
}

}  // namespace
}  // namespace tokenusage
