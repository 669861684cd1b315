// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/identity/token.h"

#include <set>

#include "gtest/gtest.h"

namespace tokenusage {
namespace {

TEST(TokenTest, IsNewEachTime) {
  std::set<std::string> tokens;
  for (int i = 0; i < 100; ++i) {
    const std::string token = NewToken();
    EXPECT_EQ(token.substr(0, 11), "tokenusage_");
    EXPECT_EQ(token.size(), 75u);
    EXPECT_TRUE(tokens.insert(token).second);
  }
}

TEST(TokenTest, TheDigestIsSha256) {
  // FIPS 180-2, appendix B.1.
  EXPECT_EQ(HexOf(DigestOf("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(TokenTest, DigestsAreComparedWhole) {
  const TokenDigest digest = DigestOf("abc");
  EXPECT_TRUE(SameDigest(digest, DigestOf("abc")));
  for (std::size_t i = 0; i < digest.size(); ++i) {
    TokenDigest other = digest;
    other[i] = static_cast<std::uint8_t>(other[i] ^ 1);
    EXPECT_FALSE(SameDigest(digest, other)) << i;
  }
}

TEST(TokenTest, HexIsReadBack) {
  const TokenDigest digest = DigestOf("abc");
  const std::string hex = HexOf(digest);
  ASSERT_TRUE(DigestFromHex(hex).has_value());
  EXPECT_EQ(*DigestFromHex(hex), digest);
  std::string upper = hex;
  upper[0] = 'B';
  for (const std::string& bad :
       {std::string(), hex.substr(1), hex + "0", upper, "g" + hex.substr(1)}) {
    EXPECT_FALSE(DigestFromHex(bad).has_value()) << bad;
  }
}

}  // namespace
}  // namespace tokenusage
