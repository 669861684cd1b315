// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/cli/message_types.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace tokenusage {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::StatusIs;

auto IsInvalidArgument(const std::string& text) {
  return StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(text));
}

TEST(MessageTypesTest, FindsMessagesByFullNameOrItsEnd) {
  for (const char* name :
       {"tokenusage.orq.v2.PostV2ProxyImagesEditsUsage",
        "v2.PostV2ProxyImagesEditsUsage", "PostV2ProxyImagesEditsUsage"}) {
    ASSERT_OK_AND_ASSIGN(const auto* message, FindMessageType(name));
    EXPECT_EQ(message->GetTypeName(),
              "tokenusage.orq.v2.PostV2ProxyImagesEditsUsage");
  }
}

TEST(MessageTypesTest, RefusesOtherNamesInAShortLine) {
  for (const char* name :
       {"", "Usage", "ProxyImagesEditsUsage", "postv2proxyimageseditsusage"}) {
    const absl::Status refused = FindMessageType(name).status();
    EXPECT_THAT(refused, IsInvalidArgument("tokenusage dialects"));
    EXPECT_THAT(refused, IsInvalidArgument(name));
    EXPECT_LT(refused.message().size(), 120);
  }
}

TEST(MessageTypesTest, ListsTheMessagesThatANameFits) {
  const auto message = FindMessageType("ChatUsage");
  EXPECT_THAT(message, IsInvalidArgument("openai.v1.ChatUsage, "));
  EXPECT_THAT(message, Not(IsInvalidArgument("EmbeddingsUsage")));
  EXPECT_THAT(FindUsageField("ChatUsage"),
              IsInvalidArgument("openai.v1.ChatUsage, "));
  ASSERT_OK_AND_ASSIGN(const auto* chat, FindUsageField("openai.v1.ChatUsage"));
  EXPECT_EQ(chat->name(), "openai_chat");
}

TEST(MessageTypesTest, FindsTheUsageFieldThatHoldsAMessage) {
  ASSERT_OK_AND_ASSIGN(const auto* edits,
                       FindUsageField("PostV2ProxyImagesEditsUsage"));
  EXPECT_EQ(edits->name(), "orq_images_edits");
}

TEST(MessageTypesTest, RefusesMessagesThatNoUsageFieldHolds) {
  for (const char* name : {"PostV2ProxyImagesEditsInputTokensDetails",
                           "UsageRecord", "NoSuchUsage"}) {
    const auto field = FindUsageField(name);
    EXPECT_THAT(field, IsInvalidArgument("tokenusage dialects"));
  }
}

}  // namespace
}  // namespace tokenusage
