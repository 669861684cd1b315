// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/json/internal/text.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <string_view>

#include "gtest/gtest.h"
#include "tests/support/seed.h"
#include "tokenusage/base/utf8.h"

namespace tokenusage {
namespace json_internal {
namespace {

// The parts of strings: runs of plain text, and everything that is special in
// them, valid and invalid.
constexpr std::string_view kPieces[] = {
    "a",          "plain text",   "~ !#",         "\u00e9",  "\u20ac",
    "\U0001F600", "\u07ff",       "\u0800",       "\uffff",  "\U0010FFFF",
    "\\n",        "\\\"",         "\\\\",         "\\u00e9", "\\ud83d\\ude00",
    "\x7F",       "\xED\x9F\xBF", "\xEE\x80\x80", "\\uD7FF", "\\uDBFF\\uDFFF"};
constexpr std::string_view kBadPieces[] = {"\x80",
                                           "\xC0\x80",
                                           "\xC1\xBF",
                                           "\xC3",
                                           "\xE0\x9F\xBF",
                                           "\xE2\x82",
                                           "\xED\xA0\x80",
                                           "\xF0\x8F\xBF\xBF",
                                           "\xF0\x9F\x98",
                                           "\xF4\x90\x80\x80",
                                           "\xF5\x80\x80\x80",
                                           "\xFF",
                                           "\x01",
                                           "\n",
                                           "\\x",
                                           "\\ud83d",
                                           "\\udc00",
                                           "\\ud83d\\u00e9",
                                           "\\u12g4",
                                           "\\u",
                                           "\\"};

// FindStringEnd finds the same end as ScanString, reads nothing after the text,
// and reports whether the text has escapes.
TEST(FindStringEndTest, IsWhereScanStringIs) {
  std::mt19937_64 random(testing::TestSeed());
  int found = 0;
  for (int round = 0; round < 100000; ++round) {
    std::string text;
    const std::uint64_t pieces = random() % 24;
    for (std::uint64_t i = 0; i < pieces; ++i) {
      text += kPieces[random() % std::size(kPieces)];
    }
    if (random() % 3 == 0) {
      text.insert(random() % (text.size() + 1),
                  kBadPieces[random() % std::size(kBadPieces)]);
    }
    if (random() % 8 != 0) text += '"';
    text += std::string(random() % 40, random() % 2 == 0 ? ' ' : '"');
    // A block of exactly the text's size, for AddressSanitizer.
    const std::unique_ptr<char[]> block(new char[text.size()]);
    std::memcpy(block.get(), text.data(), text.size());
    const char* const end = block.get() + text.size();

    TextError error;
    std::string unescaped;
    const char* const expected =
        ScanString(block.get(), end, &unescaped, &error);
    bool escaped = false;
    ASSERT_EQ(FindStringEnd(block.get(), end, &escaped), expected) << text;
    if (expected == nullptr) {
      ASSERT_FALSE(error.expected.empty());
      ASSERT_LE(error.at, end);
      continue;
    }
    ++found;
    ASSERT_EQ(escaped,
              std::find<const char*>(block.get(), expected, '\\') != expected)
        << text;
    ASSERT_TRUE(IsUtf8(unescaped)) << text;
    if (!escaped) {
      ASSERT_EQ(unescaped,
                std::string(static_cast<const char*>(block.get()), expected));
    }
  }
  EXPECT_GT(found, 10000);
}

TEST(ScanStringTest, ResolvesEscapes) {
  const std::string text = R"(a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00z")";
  std::string unescaped;
  TextError error;
  ASSERT_EQ(
      ScanString(text.data(), text.data() + text.size(), &unescaped, &error),
      text.data() + text.size() - 1);
  EXPECT_EQ(unescaped, "a\"\\/\b\f\n\r\t\u00e9\U0001F600z");
}

TEST(IsPlainTest, FindsWhatIsNotAtEveryPlace) {
  for (std::size_t size = 0; size < 40; ++size) {
    std::string text(size, 'a');
    EXPECT_TRUE(IsPlain(text));
    for (std::size_t at = 0; at < size; ++at) {
      for (const char c : {'"', '\\', '\n', '\0', '\x80', '\xFF'}) {
        std::string other = text;
        other[at] = c;
        EXPECT_FALSE(IsPlain(other)) << size << " " << at;
      }
    }
  }
}

}  // namespace
}  // namespace json_internal
}  // namespace tokenusage
