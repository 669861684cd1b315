// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/cli/times.h"

#include <cstddef>
#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "tokenusage/base/excerpt.h"

namespace tokenusage {

namespace {

// Returns the text's pattern: every digit as 0.
std::string PatternOf(std::string text) {
  for (char& c : text) {
    if (absl::ascii_isdigit(static_cast<unsigned char>(c))) c = '0';
  }
  return text;
}

// Returns whether `text` is spelled as in RFC 3339, with at most nine decimals;
// absl's parser is more lenient.
bool IsRfc3339(const std::string& text) {
  constexpr std::string_view kSeconds = "0000-00-00T00:00:00";
  std::string pattern = PatternOf(text);
  if (pattern.substr(0, kSeconds.size()) != kSeconds || text[17] == '6') {
    return false;
  }
  pattern.erase(0, kSeconds.size());
  if (pattern[0] == '.') {
    const std::size_t end = pattern.find_first_not_of('0', 1);
    if (end == std::string::npos || end < 2 || end > 10) return false;
    pattern.erase(0, end);
  }
  return pattern == "Z" || pattern == "+00:00" || pattern == "-00:00";
}

}  // namespace

absl::StatusOr<google::protobuf::Timestamp> ParseTime(
    const std::string& flag, const std::string& text,
    absl::TimeZone time_zone) {
  absl::Time time;
  absl::CivilDay day;
  std::string ignored;
  if (PatternOf(text) == "0000-00-00" && absl::ParseCivilTime(text, &day)) {
    // If clocks skip midnight, the day starts at the transition.
    const auto info = time_zone.At(absl::CivilSecond(day));
    time =
        info.kind == absl::TimeZone::TimeInfo::SKIPPED ? info.trans : info.pre;
  } else if (!IsRfc3339(text) ||
             !absl::ParseTime(absl::RFC3339_full, text, &time, &ignored)) {
    return absl::InvalidArgumentError(absl::StrCat(
        flag, ": expected ", kTimeHelp, ", found \"", Excerpt(text), "\""));
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
      absl::StrCat("--time-zone: expected an IANA name such as Europe/Berlin, "
                   "found \"",
                   Excerpt(name), "\""));
}

absl::Time ToTime(const google::protobuf::Timestamp& timestamp) {
  return absl::FromUnixSeconds(timestamp.seconds()) +
         absl::Nanoseconds(timestamp.nanos());
}

}  // namespace tokenusage
