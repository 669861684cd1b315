// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/rpc/gzip.h"

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/rpc/error_info.h"

namespace tokenusage {
namespace {

using testing::IsOk;

// Unpacks `packed`, which arrives in parts of `part_size` bytes.
absl::StatusOr<std::string> Unpack(std::string_view packed,
                                   std::size_t max_bytes,
                                   std::size_t part_size = 1 << 20) {
  GzipReader reader(max_bytes);
  for (std::size_t at = 0; at < packed.size(); at += part_size) {
    TOKENUSAGE_RETURN_IF_ERROR(reader.Add(packed.substr(at, part_size)));
  }
  return reader.Finish();
}

std::string ReasonOf(const absl::StatusOr<std::string>& result) {
  const auto info = GetErrorInfo(result.status());
  return info ? info->reason : "";
}

TEST(GzipTest, UnpacksWhatItPacked) {
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += std::to_string(i * i);
  for (const std::string& message : {std::string(), std::string("a"), text}) {
    const std::string packed = Gzip(message);
    EXPECT_TRUE(StartsLikeGzip(packed));
    for (const std::size_t part_size : {1u, 7u, 1u << 20}) {
      const auto unpacked = Unpack(packed, message.size(), part_size);
      ASSERT_THAT(unpacked, IsOk());
      EXPECT_EQ(*unpacked, message);
    }
  }
  EXPECT_LT(Gzip(text).size(), text.size());
}

TEST(GzipTest, RefusesWhatUnpacksToMoreThanTheLimit) {
  const std::string packed = Gzip(std::string(64 << 20, '\0'));
  EXPECT_LT(packed.size(), 1 << 20);
  EXPECT_EQ(ReasonOf(Unpack(packed, 1 << 20)), "REQUEST_TOO_LARGE");
  EXPECT_EQ(ReasonOf(Unpack(Gzip("ab"), 1)), "REQUEST_TOO_LARGE");
}

TEST(GzipTest, RefusesWhatIsNotOneWholeMember) {
  const std::string packed = Gzip("a message");
  std::string damaged = packed;
  damaged[packed.size() - 5] ^= 1;  // its checksum
  for (const std::string& bytes :
       {std::string(), std::string("a message"), packed.substr(0, 12),
        packed.substr(0, packed.size() - 1), packed + "x", packed + packed,
        damaged}) {
    EXPECT_EQ(ReasonOf(Unpack(bytes, 1000)), "REQUEST_MALFORMED") << bytes;
  }
}

}  // namespace
}  // namespace tokenusage
