// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/rpc/page_token.h"

#include <string>

#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tokenusage/service/error_info.h"

namespace tokenusage {
namespace {

using testing::IsOk;

TEST(PageTokenTest, ComesBackAsItWas) {
  const PagePosition position{42, -7, std::string("\x01gpt\0", 5)};
  const std::string token = EncodePageToken(position);
  EXPECT_FALSE(token.empty());
  const auto decoded = DecodePageToken(token, 42, -7, -6);
  ASSERT_THAT(decoded, IsOk());
  EXPECT_EQ(decoded->last_time_nanos, -7);
  EXPECT_EQ(decoded->last_key, position.last_key);
}

TEST(PageTokenTest, RefusesOtherRequestsAndNonsense) {
  const std::string token = EncodePageToken({42, 1, "key"});
  for (const auto& decoded :
       {DecodePageToken(token, 43, 0, 9), DecodePageToken("!", 42, 0, 9),
        DecodePageToken("", 42, 0, 9),
        DecodePageToken(token.substr(1), 42, 0, 9),
        DecodePageToken(token, 42, 2, 9), DecodePageToken(token, 42, 0, 1)}) {
    ASSERT_EQ(decoded.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(GetErrorInfo(decoded.status())->reason, "PAGE_TOKEN_INVALID");
  }
}

// Tokens outlive a process: the hash must not change.
TEST(PageTokenTest, FingerprintIsFnv1a) {
  EXPECT_EQ(Fingerprint(""), 0xcbf29ce484222325u);
  EXPECT_EQ(Fingerprint("a"), 0xaf63dc4c8601ec8cu);
  EXPECT_EQ(Fingerprint("foobar"), 0x85944171f73967e8u);
}

}  // namespace
}  // namespace tokenusage
