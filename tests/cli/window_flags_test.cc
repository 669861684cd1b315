// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/cli/client/window_flags.h"

#include <string>

#include "gtest/gtest.h"
#include "tests/support/records.h"

namespace tokenusage {
namespace {

using testing::Time;

std::string Utc(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E*SZ", time, absl::UTCTimeZone());
}

std::string Text(const ZonedWindow& window) {
  return Utc(window.start) + "/" + Utc(window.end);
}

// Clocks in Berlin had gone back on 2026-10-25.
WindowFlags Flags(const std::string& start, const std::string& end,
                  const std::string& zone = "Europe/Berlin") {
  WindowFlags flags;
  flags.start = start;
  flags.end = end;
  flags.time_zone = zone;
  return flags;
}

std::string Parse(const WindowFlags& flags) {
  const auto window = ParseWindow(flags, Time("2026-10-28T09:30:15.5Z"));
  return window.ok() ? Text(*window) : std::string(window.status().message());
}

TEST(WindowFlagsTest, TakesTimesRelativeToNow) {
  EXPECT_EQ(Parse(Flags("today", "now")),
            "2026-10-27T23:00:00Z/2026-10-28T09:30:15.5Z");
  EXPECT_EQ(Parse(Flags("yesterday", "today")),
            "2026-10-26T23:00:00Z/2026-10-27T23:00:00Z");
  EXPECT_EQ(Parse(Flags("90m", "30m")),
            "2026-10-28T08:00:15.5Z/2026-10-28T09:00:15.5Z");
  EXPECT_EQ(Parse(Flags("12h", "0h")),
            "2026-10-27T21:30:15.5Z/2026-10-28T09:30:15.5Z");
  // Days and weeks are those of the calendar.
  EXPECT_EQ(Parse(Flags("7d", "0d")),
            "2026-10-20T22:00:00Z/2026-10-27T23:00:00Z");
  EXPECT_EQ(Parse(Flags("1w", "3d")),
            "2026-10-20T22:00:00Z/2026-10-24T22:00:00Z");
  EXPECT_EQ(Parse(Flags("1d", "today", "")),
            "2026-10-27T00:00:00Z/2026-10-28T00:00:00Z");
}

TEST(WindowFlagsTest, ReadsLocalTimesInTheTimeZone) {
  EXPECT_EQ(Parse(Flags("2026-10-24", "2026-10-26")),
            "2026-10-23T22:00:00Z/2026-10-25T23:00:00Z");
  EXPECT_EQ(Parse(Flags("2026-10-24T09:30", "2026-10-26T09:30:00.25")),
            "2026-10-24T07:30:00Z/2026-10-26T08:30:00.25Z");
  // A time that occurs twice means the first.
  EXPECT_EQ(Parse(Flags("2026-10-25T02:30", "2026-10-25T03:00")),
            "2026-10-25T00:30:00Z/2026-10-25T02:00:00Z");
  EXPECT_EQ(Parse(Flags("2026-10-24T09:30:00Z", "2026-10-26", "")),
            Parse(Flags("2026-10-24T09:30", "2026-10-26T00:00", "")));
}

TEST(WindowFlagsTest, TakesWholeMonths) {
  WindowFlags flags;
  flags.month = "2026-10";
  EXPECT_EQ(Parse(flags), "2026-10-01T00:00:00Z/2026-11-01T00:00:00Z");
  flags.time_zone = "Europe/Berlin";
  EXPECT_EQ(Parse(flags), "2026-09-30T22:00:00Z/2026-10-31T23:00:00Z");
  flags.month = "2026-12";
  EXPECT_EQ(Parse(flags), "2026-11-30T23:00:00Z/2026-12-31T23:00:00Z");
  for (const char* wrong :
       {"2026", "2026-13", "2026-1", "october", "10-2026"}) {
    flags.month = wrong;
    EXPECT_EQ(Parse(flags).find("--month: expected a month"), 0u) << wrong;
  }
}

TEST(WindowFlagsTest, RefusesOtherFormats) {
  for (const char* wrong :
       {"", "tomorrow", "7", "d", "-7d", "7y", "1.5h", "7 d", "100001d",
        "99999999999999999999d", "2026-10", "2026-10-24 09:30",
        "2026-10-24T25:00", "2026-10-24T09", "Z"}) {
    EXPECT_EQ(Parse(Flags(wrong, "now")).find("--start: expected "), 0u)
        << wrong << ": " << Parse(Flags(wrong, "now"));
    EXPECT_EQ(Parse(Flags("today", wrong)).find("--end: expected "), 0u);
  }
}

std::string Before(const WindowFlags& flags) {
  return Text(WindowBefore(*ParseWindow(flags, Time("2026-10-28T09:30:00Z"))));
}

TEST(WindowFlagsTest, TheWindowBeforeIsAsLong) {
  WindowFlags month;
  month.month = "2026-03";
  month.time_zone = "Europe/Berlin";
  EXPECT_EQ(Before(month), "2026-01-31T23:00:00Z/2026-02-28T23:00:00Z");
  EXPECT_EQ(Before(Flags("2026-07-01", "2026-10-01")),
            "2026-03-31T22:00:00Z/2026-06-30T22:00:00Z");
  // The window before has as many days, even if their lengths differ.
  EXPECT_EQ(Before(Flags("2026-10-24", "2026-10-26")),
            "2026-10-21T22:00:00Z/2026-10-23T22:00:00Z");
  EXPECT_EQ(Before(Flags("2026-10-26", "2026-10-28")),
            "2026-10-23T22:00:00Z/2026-10-25T23:00:00Z");
  // The same part of the day before.
  EXPECT_EQ(Before(Flags("today", "now")),
            "2026-10-26T23:00:00Z/2026-10-27T09:30:00Z");
  EXPECT_EQ(Before(Flags("12h", "now")),
            "2026-10-27T09:30:00Z/2026-10-27T21:30:00Z");
}

TEST(WindowFlagsTest, FormatsStartsOfDaysAsDates) {
  const absl::TimeZone zone =
      ParseWindow(Flags("today", "now"), absl::UnixEpoch())->zone;
  EXPECT_EQ(FormatZoned(Time("2026-10-24T22:00:00Z"), zone), "2026-10-25");
  EXPECT_EQ(FormatZoned(Time("2026-10-24T22:00:00.5Z"), zone),
            "2026-10-25T00:00:00.5+02:00");
}

}  // namespace
}  // namespace tokenusage
