// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/query/time_buckets.h"

#include <algorithm>

namespace tokenusage {
namespace {

constexpr std::int64_t kNanosPerMinute = 60'000'000'000;
constexpr std::int64_t kNanosPerHour = 60 * kNanosPerMinute;

TimeWindow FixedBucket(std::int64_t nanos, std::int64_t length) {
  std::int64_t into = nanos % length;
  if (into < 0) into += length;
  return {nanos - into, nanos - into + length};
}

// The first day of a week or month, and of the next one.
struct DayRange {
  absl::CivilDay first;
  absl::CivilDay next;
};

DayRange RangeOf(v1::TimeBucket bucket, absl::CivilDay day) {
  if (bucket == v1::TIME_BUCKET_WEEK) {
    const absl::CivilDay monday =
        absl::PrevWeekday(day + 1, absl::Weekday::monday);
    return {monday, monday + 7};
  }
  if (bucket == v1::TIME_BUCKET_MONTH) {
    const absl::CivilMonth month(day);
    return {absl::CivilDay(month), absl::CivilDay(month + 1)};
  }
  return {day, day + 1};
}

}  // namespace

TimeBuckets::TimeBuckets(v1::TimeBucket bucket, absl::TimeZone time_zone,
                         TimeWindow window)
    : bucket_(bucket), time_zone_(time_zone), window_(window) {}

TimeWindow TimeBuckets::Containing(std::int64_t nanos) {
  if (nanos < last_.start_nanos || nanos >= last_.end_nanos) {
    const TimeWindow uncut = Uncut(nanos);
    last_ = {std::max(uncut.start_nanos, window_.start_nanos),
             std::min(uncut.end_nanos, window_.end_nanos)};
  }
  return last_;
}

TimeWindow TimeBuckets::Uncut(std::int64_t nanos) const {
  switch (bucket_) {
    case v1::TIME_BUCKET_MINUTE:
      return FixedBucket(nanos, kNanosPerMinute);
    case v1::TIME_BUCKET_HOUR:
      return FixedBucket(nanos, kNanosPerHour);
    case v1::TIME_BUCKET_DAY:
    case v1::TIME_BUCKET_WEEK:
    case v1::TIME_BUCKET_MONTH:
      return CivilBucket(nanos);
    default:
      return window_;
  }
}

TimeWindow TimeBuckets::CivilBucket(std::int64_t nanos) const {
  absl::CivilDay day = absl::ToCivilDay(absl::FromUnixNanos(nanos), time_zone_);
  // If clocks went back over midnight, the next date has started before, and
  // with it the next bucket.
  while (FirstInstant(day + 1) <= nanos) ++day;
  const DayRange range = RangeOf(bucket_, day);
  return {FirstInstant(range.first), FirstInstant(range.next)};
}

// Returns the first instant with this date; if the zone skipped it, with the
// next date that it has.
std::int64_t TimeBuckets::FirstInstant(absl::CivilDay day) const {
  const absl::TimeZone::TimeInfo midnight =
      time_zone_.At(absl::CivilSecond(day));
  const bool skipped = midnight.kind == absl::TimeZone::TimeInfo::SKIPPED;
  // If midnight occurs twice, `pre` is the earlier.
  return absl::ToUnixNanos(skipped ? midnight.trans : midnight.pre);
}

}  // namespace tokenusage
