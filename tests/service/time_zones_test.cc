// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/server/time_zones.h"

#include "gtest/gtest.h"

namespace tokenusage {
namespace {

TEST(TimeZonesTest, KnowsTheNamesOfTheZoneinfoFolder) {
  const TimeZones zones = TimeZones::FromSystem();
  EXPECT_GT(zones.size(), 300u);
  const absl::TimeZone* berlin = zones.Find("Europe/Berlin");
  ASSERT_NE(berlin, nullptr);
  EXPECT_EQ(berlin->At(absl::FromUnixSeconds(1750000000)).offset, 7200);
  EXPECT_NE(zones.Find("America/Argentina/Buenos_Aires"), nullptr);
}

TEST(TimeZonesTest, EmptyIsUtc) {
  const TimeZones zones = TimeZones::FromSystem();
  ASSERT_NE(zones.Find(""), nullptr);
  EXPECT_EQ(*zones.Find(""), absl::UTCTimeZone());
  EXPECT_EQ(*zones.Find("UTC"), absl::UTCTimeZone());
}

TEST(TimeZonesTest, KnowsNoOtherSpellings) {
  const TimeZones zones = TimeZones::FromSystem();
  for (const char* name : {"europe/berlin", "Europe", "/usr/share/zoneinfo/UTC",
                           "../../etc/passwd", "Europe/../UTC", "posix/UTC",
                           "right/UTC", "localtime", ":UTC",
                           "Fixed/UTC+01:00:00", "UTC+1", " UTC", "zone.tab"}) {
    EXPECT_EQ(zones.Find(name), nullptr) << name;
  }
}

}  // namespace
}  // namespace tokenusage
