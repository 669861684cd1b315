// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/base/excerpt.h"

#include <string>

#include "gtest/gtest.h"
#include "tokenusage/base/utf8.h"

namespace tokenusage {
namespace {

TEST(ExcerptTest, KeepsPrintableText) {
  // U+00E4 and U+1F600, of two and four bytes.
  EXPECT_EQ(Excerpt("gpt-image-1 \xC3\xA4\xF0\x9F\x98\x80"),
            "gpt-image-1 \xC3\xA4\xF0\x9F\x98\x80");
}

TEST(ExcerptTest, EscapesControlCharactersAndInvalidUtf8) {
  EXPECT_EQ(Excerpt(std::string("a\n\r\t\0\x1b\x7f", 7)),
            "a\\n\\r\\t\\u0000\\u001b\\u007f");
  EXPECT_EQ(Excerpt("\xC2\x85"), "\\u0085");  // NEL
  EXPECT_EQ(Excerpt("\xFF\xC3"), "\\xff\\xc3");
}

TEST(ExcerptTest, CutsAfterFortyCharactersNotBytes) {
  std::string text;
  for (int i = 0; i < 40; ++i) text += "\xE2\x82\xAC";  // U+20AC
  EXPECT_EQ(Excerpt(text), text);
  EXPECT_EQ(Excerpt(text + "x"), text + "...");
}

TEST(ExcerptTest, IsOneLineOfUtf8ForAnyTwoBytes) {
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      const std::string text = {static_cast<char>(first),
                                static_cast<char>(second)};
      const std::string excerpt = Excerpt(text);
      ASSERT_TRUE(IsUtf8(excerpt)) << first << " " << second;
      for (const char c : excerpt) {
        ASSERT_GE(static_cast<unsigned char>(c), 0x20)
            << first << " " << second;
      }
    }
  }
}

}  // namespace
}  // namespace tokenusage
