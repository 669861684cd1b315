// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/json/internal/text_values.h"

#include <cstdint>
#include <random>
#include <string>

#include "gtest/gtest.h"
#include "tests/support/seed.h"

namespace tokenusage {
namespace json_internal {
namespace {

TEST(Base64Test, ReadsBothAlphabetsPaddedOrNot) {
  for (const char* text : {"+/8=", "-_8=", "+/8", "-_8"}) {
    std::string bytes;
    ASSERT_TRUE(ParseBase64(text, &bytes)) << text;
    EXPECT_EQ(bytes, "\xFB\xFF") << text;
  }
}

TEST(Base64Test, RefusesTheRest) {
  std::string bytes;
  for (const char* text :
       {"A", "AAAAA", "A===", "====", "AA=", "=AAA", "A=AA", "AAA=AAAA",
        "AB==", "AAB=", "AB", " AAA", "AA\n==", "AA.."}) {
    EXPECT_FALSE(ParseBase64(text, &bytes)) << text;
  }
}

TEST(Base64Test, EveryStringSurvives) {
  std::mt19937_64 random(testing::TestSeed());
  for (int i = 0; i < 2000; ++i) {
    std::string bytes(random() % 40, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    std::string text, read;
    AppendBase64(bytes, &text);
    ASSERT_TRUE(ParseBase64(text, &read)) << text;
    ASSERT_EQ(read, bytes) << text;
  }
}

std::string Written(std::int64_t seconds, std::int32_t nanos) {
  std::string out;
  EXPECT_TRUE(AppendRfc3339({seconds, nanos}, &out));
  return out;
}

TEST(Rfc3339Test, WritesAsFewDecimalsAsAreExact) {
  EXPECT_EQ(Written(0, 0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(Written(-1, 500000000), "1969-12-31T23:59:59.500Z");
  EXPECT_EQ(Written(951782400, 1000), "2000-02-29T00:00:00.000001Z");
  EXPECT_EQ(Written(-62135596800, 1), "0001-01-01T00:00:00.000000001Z");
  EXPECT_EQ(Written(253402300799, 999999999), "9999-12-31T23:59:59.999999999Z");
}

TEST(Rfc3339Test, RefusesToWriteWhatIsNoTime) {
  for (const UnixTime& time :
       {UnixTime{-62135596801, 0}, UnixTime{253402300800, 0}, UnixTime{0, -1},
        UnixTime{0, 1000000000}, UnixTime{INT64_MIN, 0},
        UnixTime{INT64_MAX, 0}}) {
    std::string out = "before";
    EXPECT_FALSE(AppendRfc3339(time, &out)) << time.seconds;
    EXPECT_EQ(out, "before");
  }
}

TEST(Rfc3339Test, EveryTimeSurvives) {
  std::mt19937_64 random(testing::TestSeed());
  std::uniform_int_distribution<std::int64_t> seconds(-62135596800,
                                                      253402300799);
  for (int i = 0; i < 20000; ++i) {
    const UnixTime time = {seconds(random),
                           static_cast<std::int32_t>(random() % 1000000000)};
    const std::string text = Written(time.seconds, time.nanos);
    UnixTime read;
    ASSERT_TRUE(ParseRfc3339(text, &read)) << text;
    ASSERT_EQ(read.seconds, time.seconds) << text;
    ASSERT_EQ(read.nanos, time.nanos) << text;
  }
}

TEST(Rfc3339Test, OffsetsAreSubtracted) {
  UnixTime time;
  ASSERT_TRUE(ParseRfc3339("1970-01-01T02:00:00.5+02:00", &time));
  EXPECT_EQ(time.seconds, 0);
  EXPECT_EQ(time.nanos, 500000000);
  ASSERT_TRUE(ParseRfc3339("1969-12-31T23:00:00-01:00", &time));
  EXPECT_EQ(time.seconds, 0);
  ASSERT_TRUE(ParseRfc3339("9999-12-31T23:59:59+00:01", &time));
  EXPECT_FALSE(ParseRfc3339("9999-12-31T23:59:59-00:01", &time));
}

}  // namespace
}  // namespace json_internal
}  // namespace tokenusage
