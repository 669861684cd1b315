// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/query/time_buckets.h"

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/support/records.h"

namespace tokenusage {
namespace {

using testing::Nanos;

constexpr std::int64_t kNanosPerMinute = 60'000'000'000;

// Walks over a span step by step: a bucket starts when a date is seen that is
// later than all before it. Zones changed on quarter hours since 2000;
// those that changed a minute after midnight are walked minute by minute.
void ExpectDaysAsWalked(const std::string& zone, std::int64_t start,
                        std::int64_t end,
                        std::int64_t step = 15 * kNanosPerMinute) {
  absl::TimeZone time_zone;
  ASSERT_TRUE(absl::LoadTimeZone(zone, &time_zone)) << zone;
  absl::CivilDay latest =
      absl::ToCivilDay(absl::FromUnixNanos(start), time_zone);
  std::int64_t bucket_start = start;
  for (std::int64_t now = start; now < end; now += step) {
    const absl::CivilDay day =
        absl::ToCivilDay(absl::FromUnixNanos(now), time_zone);
    if (day > latest) {
      latest = day;
      bucket_start = now;
    }
    // A new one each time, which remembers no bucket from before.
    TimeBuckets buckets(v1::TIME_BUCKET_DAY, time_zone, {start, end});
    const TimeWindow bucket = buckets.Containing(now);
    ASSERT_EQ(bucket.start_nanos, bucket_start)
        << zone << " " << absl::FromUnixNanos(now);
    ASSERT_LT(now, bucket.end_nanos) << zone << absl::FromUnixNanos(now);
  }
}

TEST(TimeBucketsTest, DaysAreThoseFoundByWalking) {
  const char* const kZones[] = {"UTC",
                                "Europe/Berlin",
                                "Asia/Kolkata",
                                "Asia/Kathmandu",
                                "Australia/Lord_Howe",
                                "Asia/Beirut",
                                "America/Santiago",
                                "America/Havana",
                                "Asia/Tehran",
                                "Africa/Casablanca",
                                "America/Sao_Paulo"};
  for (const char* zone : kZones) {
    // Two years, the first starting in the middle of a day.
    ExpectDaysAsWalked(zone, Nanos("2009-12-31T12:00:00Z"),
                       Nanos("2011-12-31T12:00:00Z"));
  }
  ExpectDaysAsWalked("America/St_Johns", Nanos("2010-09-01T12:00:00Z"),
                     Nanos("2011-05-01T12:00:00Z"), kNanosPerMinute);
  ExpectDaysAsWalked("Pacific/Apia", Nanos("2011-12-01T12:00:00Z"),
                     Nanos("2012-02-01T12:00:00Z"));
  ExpectDaysAsWalked("Asia/Pyongyang", Nanos("2015-08-01T12:00:00Z"),
                     Nanos("2015-09-01T12:00:00Z"));
}

TEST(TimeBucketsTest, EveryBucketBorderLiesOnAQuarterHour) {
  const char* const kZones[] = {"America/St_Johns", "Australia/Lord_Howe",
                                "Asia/Kathmandu",   "Pacific/Apia",
                                "Pacific/Chatham",  "America/Caracas"};
  const TimeWindow window = {Nanos("2000-01-01T00:00:00Z"),
                             Nanos("2200-01-01T00:00:00Z")};
  for (const char* zone : kZones) {
    absl::TimeZone time_zone;
    ASSERT_TRUE(absl::LoadTimeZone(zone, &time_zone)) << zone;
    TimeBuckets buckets(v1::TIME_BUCKET_DAY, time_zone, window);
    for (std::int64_t at = window.start_nanos; at < window.end_nanos;
         at = buckets.Containing(at).end_nanos) {
      ASSERT_EQ(at % (15 * kNanosPerMinute), 0)
          << zone << " " << absl::FromUnixNanos(at);
    }
  }
}

TEST(TimeBucketsTest, WeeksAndMonthsAreMadeOfDays) {
  absl::TimeZone time_zone;
  ASSERT_TRUE(absl::LoadTimeZone("America/St_Johns", &time_zone));
  const TimeWindow window = {Nanos("2009-06-01T12:34:56Z"),
                             Nanos("2012-06-01T12:34:56Z")};
  for (const v1::TimeBucket longer :
       {v1::TIME_BUCKET_WEEK, v1::TIME_BUCKET_MONTH}) {
    TimeBuckets days(v1::TIME_BUCKET_DAY, time_zone, window);
    TimeBuckets buckets(longer, time_zone, window);
    int count = 0;
    TimeWindow bucket = {0, window.start_nanos};
    for (std::int64_t at = window.start_nanos; at < window.end_nanos;) {
      const TimeWindow day = days.Containing(at);
      if (at == bucket.end_nanos) {
        bucket = buckets.Containing(at);
        ASSERT_EQ(bucket.start_nanos, at);
        ++count;
      }
      ASSERT_EQ(buckets.Containing(day.end_nanos - 1).start_nanos,
                bucket.start_nanos);
      at = day.end_nanos;
    }
    EXPECT_EQ(bucket.end_nanos, window.end_nanos);
    EXPECT_EQ(count, longer == v1::TIME_BUCKET_WEEK ? 157 : 37);
  }
}

TEST(TimeBucketsTest, RemembersNothingWrong) {
  const TimeWindow window = {Nanos("2026-01-01T00:00:00Z"),
                             Nanos("2026-01-03T00:00:00Z")};
  TimeBuckets buckets(v1::TIME_BUCKET_HOUR, absl::UTCTimeZone(), window);
  const auto start = [&](const char* time) {
    return buckets.Containing(Nanos(time)).start_nanos;
  };
  EXPECT_EQ(start("2026-01-02T10:30:00Z"), Nanos("2026-01-02T10:00:00Z"));
  EXPECT_EQ(start("2026-01-02T11:00:00Z"), Nanos("2026-01-02T11:00:00Z"));
  EXPECT_EQ(start("2026-01-02T10:59:59.999999999Z"),
            Nanos("2026-01-02T10:00:00Z"));
}

}  // namespace
}  // namespace tokenusage
