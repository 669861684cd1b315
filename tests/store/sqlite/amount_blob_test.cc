// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/sqlite/amount_blob.h"

#include <optional>
#include <string>

#include "absl/numeric/int128.h"
#include "gtest/gtest.h"

namespace tokenusage::testing {
namespace {

TEST(AmountBlobTest, IsBigEndianTwosComplement) {
  const auto encode = [](absl::int128 nanos) {
    const AmountBlob blob = EncodeAmount(TokenAmount::FromNanos(nanos));
    return std::string(blob.data(), blob.size());
  };
  EXPECT_EQ(encode(0), std::string(16, '\0'));
  EXPECT_EQ(encode(0x0102), std::string(14, '\0') + "\x01\x02");
  EXPECT_EQ(encode(-1), std::string(16, '\xff'));
  for (const absl::int128 nanos :
       {absl::int128(0), absl::int128(8105750000000), absl::Int128Max(),
        absl::Int128Min(), absl::int128(-5)}) {
    EXPECT_EQ(DecodeAmount(encode(nanos)), TokenAmount::FromNanos(nanos));
  }
  EXPECT_EQ(DecodeAmount(""), std::nullopt);
  EXPECT_EQ(DecodeAmount(std::string(15, 'x')), std::nullopt);
  EXPECT_EQ(DecodeAmount(std::string(17, 'x')), std::nullopt);
}

}  // namespace
}  // namespace tokenusage::testing
