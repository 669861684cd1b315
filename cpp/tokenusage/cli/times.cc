#include "tokenusage/cli/times.h"

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "tokenusage/base/excerpt.h"

namespace tokenusage {

absl::StatusOr<google::protobuf::Timestamp> ParseTime(
    const std::string& flag, const std::string& text,
    absl::TimeZone time_zone) {
  absl::Time time;
  absl::CivilDay day;
  std::string ignored;
  if (absl::ParseCivilTime(text, &day)) {
    // `pre` and `trans` differ where clocks skip midnight: the day then starts
    // at the transition.
    const auto info = time_zone.At(absl::CivilSecond(day));
    time =
        info.kind == absl::TimeZone::TimeInfo::SKIPPED ? info.trans : info.pre;
  } else if (!absl::ParseTime(absl::RFC3339_full, text, &time, &ignored) ||
             time == absl::InfiniteFuture() || time == absl::InfinitePast()) {
    return absl::InvalidArgumentError(absl::StrCat(
        flag, ": expected ", kTimeFormHelp, ", found \"", Excerpt(text), "\""));
  }
  google::protobuf::Timestamp timestamp;
  const absl::Time second = absl::FromUnixSeconds(absl::ToUnixSeconds(time));
  timestamp.set_seconds(absl::ToUnixSeconds(second));
  timestamp.set_nanos(
      static_cast<int>(absl::ToInt64Nanoseconds(time - second)));
  return timestamp;
}

absl::StatusOr<absl::TimeZone> ParseTimeZone(const std::string& name) {
  absl::TimeZone zone = absl::UTCTimeZone();
  if (name.empty() || absl::LoadTimeZone(name, &zone)) return zone;
  return absl::InvalidArgumentError(
      absl::StrCat("--time-zone: expected an IANA name, as Europe/Berlin, "
                   "found \"",
                   Excerpt(name), "\""));
}

absl::Time ToTime(const google::protobuf::Timestamp& timestamp) {
  return absl::FromUnixSeconds(timestamp.seconds()) +
         absl::Nanoseconds(timestamp.nanos());
}

}  // namespace tokenusage
