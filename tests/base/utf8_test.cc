// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/base/utf8.h"

#include <cstdint>
#include <string>

#include "gtest/gtest.h"

namespace tokenusage {
namespace {

// Returns the textbook encoding of any number below 2^21, well-formed or not.
std::string Encode(std::uint32_t code, int length) {
  if (length == 1) return std::string(1, static_cast<char>(code));
  std::string bytes(static_cast<std::size_t>(length), '\0');
  for (int i = length - 1; i > 0; --i) {
    bytes[static_cast<std::size_t>(i)] =
        static_cast<char>(0x80 | (code & 0x3F));
    code >>= 6;
  }
  const int lead_marker = 0xF00 >> length;
  bytes[0] = static_cast<char>(lead_marker | static_cast<int>(code));
  return bytes;
}

int ShortestLength(std::uint32_t code) {
  return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
}

TEST(Utf8Test, TakesEveryScalarValueInItsShortestFormOnly) {
  for (std::uint32_t code = 0; code < 0x200000; ++code) {
    const bool is_scalar = code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
    for (int length = ShortestLength(code); length <= 4; ++length) {
      const bool valid = is_scalar && length == ShortestLength(code);
      ASSERT_EQ(Utf8CharLength(Encode(code, length)),
                valid ? static_cast<std::size_t>(length) : 0u)
          << std::hex << code << " in " << length << " bytes";
    }
  }
}

TEST(Utf8Test, RefusesWhatIsCutShort) {
  for (const std::string whole :
       {"\xC3\xA4", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"}) {
    EXPECT_TRUE(IsUtf8("a" + whole + "b"));
    for (std::size_t cut = 1; cut < whole.size(); ++cut) {
      EXPECT_FALSE(IsUtf8(whole.substr(0, cut)));
      EXPECT_FALSE(IsUtf8(whole.substr(0, cut) + "a"));
      EXPECT_FALSE(IsUtf8(whole.substr(cut)));
    }
  }
}

TEST(Utf8Test, EmptyTextIsValidAndStartsWithNoCharacter) {
  EXPECT_TRUE(IsUtf8(""));
  EXPECT_EQ(Utf8CharLength(""), 0u);
}

}  // namespace
}  // namespace tokenusage
