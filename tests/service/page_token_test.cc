// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/rpc/page_token.h"

#include <cstdint>
#include <limits>
#include <string>

#include "absl/strings/escaping.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tokenusage/rpc/error_info.h"

namespace tokenusage {
namespace {

using testing::IsOk;
using ::testing::Not;

const PageTokens kTokens("key");

TEST(PageTokenTest, ComesBackAsItWas) {
  const PagePosition position{42, -7, std::string("\x01gpt\0", 5)};
  const std::string token = kTokens.Encode(position);
  EXPECT_FALSE(token.empty());
  const auto decoded = kTokens.Decode(token, 42, -7, -6);
  ASSERT_THAT(decoded, IsOk());
  EXPECT_EQ(decoded->last_time_nanos, -7);
  EXPECT_EQ(decoded->last_key, position.last_key);
}

TEST(PageTokenTest, RefusesOtherRequestsAndNonsense) {
  const std::string token = kTokens.Encode({42, 1, "key"});
  for (const auto& decoded :
       {kTokens.Decode(token, 43, 0, 9), kTokens.Decode("!", 42, 0, 9),
        kTokens.Decode("", 42, 0, 9), kTokens.Decode(token.substr(1), 42, 0, 9),
        kTokens.Decode(token, 42, 2, 9), kTokens.Decode(token, 42, 0, 1)}) {
    ASSERT_EQ(decoded.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(GetErrorInfo(decoded.status())->reason, "PAGE_TOKEN_INVALID");
  }
}

TEST(PageTokenTest, RefusesEveryChangedBit) {
  const std::string token =
      kTokens.Encode({42, 1'700'000'000'000'000'000, "record-1"});
  std::string bytes;
  ASSERT_TRUE(absl::WebSafeBase64Unescape(token, &bytes));
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    std::string changed = bytes;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_THAT(kTokens.Decode(absl::WebSafeBase64Escape(changed), 42, 0,
                               std::numeric_limits<std::int64_t>::max()),
                Not(IsOk()))
        << "bit " << bit;
  }
}

TEST(PageTokenTest, OtherServersTakeItIfTheirKeyIsTheSame) {
  const std::string token = kTokens.Encode({42, 1, "record-1"});
  EXPECT_THAT(PageTokens("key").Decode(token, 42, 0, 9), IsOk());
  EXPECT_THAT(PageTokens("other").Decode(token, 42, 0, 9), Not(IsOk()));
}

// Servers of one database may be of several builds: the hash must not change.
TEST(PageTokenTest, FingerprintIsFnv1a) {
  EXPECT_EQ(Fingerprint(""), 0xcbf29ce484222325u);
  EXPECT_EQ(Fingerprint("a"), 0xaf63dc4c8601ec8cu);
  EXPECT_EQ(Fingerprint("foobar"), 0x85944171f73967e8u);
}

}  // namespace
}  // namespace tokenusage
