// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/cli/times.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace tokenusage {
namespace {

// Returns the seconds and nanoseconds since 1970, or the error.
std::string Parse(const std::string& text, const std::string& zone = "") {
  const auto time = ParseTime("--start", text, *ParseTimeZone(zone));
  if (!time.ok()) return std::string(time.status().message());
  return std::to_string(time->seconds()) + "." + std::to_string(time->nanos());
}

TEST(TimesTest, TakesRfc3339WithAnyOffset) {
  EXPECT_EQ(Parse("2025-06-15T15:06:40Z"), "1750000000.0");
  EXPECT_EQ(Parse("2025-06-15T17:06:40.000000001+02:00"), "1750000000.1");
  EXPECT_EQ(Parse("2025-06-15T15:06:40Z", "Asia/Tokyo"), "1750000000.0");
}

TEST(TimesTest, TakesDatesInTheTimeZone) {
  EXPECT_EQ(Parse("2025-06-15"), "1749945600.0");
  EXPECT_EQ(Parse("2025-06-15", "Europe/Berlin"), "1749938400.0");
  // Clocks skipped midnight: the day began at 01:00.
  EXPECT_EQ(Parse("2018-11-04", "America/Sao_Paulo"), "1541300400.0");
}

TEST(TimesTest, RefusesOtherFormats) {
  for (const char* text :
       {"", "yesterday", "2025-06-31", "2025-06", "2025-06-15 15:06:40",
        "2025-06-15T15:06:40", "1750000000", "infinite-future", "2025-6-1",
        "2025-06-15T15:06:60Z", "2025-06-15T5:06:40Z", " 2025-06-15T15:06:40Z",
        "2025-06-15T15:06:40z", "2025-06-15T15:06:40.Z",
        "2025-06-15T15:06:40+1:00", "2025-06-15T15:06:40.0123456789Z",
        "2025-06-1 ", "2025-06-15T15:06:40Z\",\"operation\":\"x"}) {
    EXPECT_NE(Parse(text).find("--start: expected"), std::string::npos) << text;
  }
  EXPECT_THAT(ParseTimeZone("Mars/Olympus"),
              testing::StatusIs(absl::StatusCode::kInvalidArgument,
                                ::testing::HasSubstr("Mars/Olympus")));
}

}  // namespace
}  // namespace tokenusage
