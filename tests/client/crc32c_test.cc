// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/client/spool/crc32c.h"

#include <cstddef>
#include <string>
#include <string_view>

#include "gtest/gtest.h"

namespace tokenusage {
namespace {

// RFC 3720, appendix B.4.
TEST(Crc32cTest, IsThatOfTheStandard) {
  std::string rising(32, '\0');
  for (std::size_t i = 0; i < rising.size(); ++i) {
    rising[i] = static_cast<char>(i);
  }
  for (const auto checksum : {&Crc32c, &Crc32cByTable}) {
    EXPECT_EQ(checksum("", 0), 0u);
    EXPECT_EQ(checksum("123456789", 0), 0xe3069283u);
    EXPECT_EQ(checksum(std::string(32, '\0'), 0), 0x8a9136aau);
    EXPECT_EQ(checksum(std::string(32, '\xff'), 0), 0x62a8ab43u);
    EXPECT_EQ(checksum(rising, 0), 0x46dd794eu);
  }
}

TEST(Crc32cTest, GoesOnWhereAnotherEnded) {
  std::string text;
  for (int i = 0; i < 50; ++i) text.push_back(static_cast<char>(i * 37));
  const std::string_view all = text;
  for (std::size_t size = 0; size <= all.size(); ++size) {
    const std::string_view bytes = all.substr(0, size);
    ASSERT_EQ(Crc32c(bytes), Crc32cByTable(bytes)) << size;
    for (std::size_t split = 0; split <= size; ++split) {
      ASSERT_EQ(Crc32c(bytes.substr(split), Crc32c(bytes.substr(0, split))),
                Crc32c(bytes))
          << size << " " << split;
    }
  }
}

}  // namespace
}  // namespace tokenusage
