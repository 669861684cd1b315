// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/cli/times.h"

#include "absl/strings/str_cat.h"
#include "tokenusage/base/excerpt.h"
#include "tokenusage/base/proto_time.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/json/json.h"
#include "tokenusage/v1/usage_record.pb.h"

namespace tokenusage {

namespace {

// Parses a time as the JSON mapping does, which is stricter than absl: only
// RFC 3339, with at most nine decimals.
absl::StatusOr<::google::protobuf::Timestamp> ParseRfc3339(
    const std::string& text) {
  v1::UsageRecord record;
  if (text.find_first_of("\"\\") != std::string::npos) {
    return absl::InvalidArgumentError("");
  }
  TOKENUSAGE_RETURN_IF_ERROR(
      ParseJson(absl::StrCat("{\"event_time\":\"", text, "\"}"), &record));
  return record.event_time();
}

}  // namespace

absl::StatusOr<::google::protobuf::Timestamp> ParseTime(
    const std::string& flag, const std::string& text,
    absl::TimeZone time_zone) {
  if (const auto utc = ParseRfc3339(text + "T00:00:00Z"); utc.ok()) {
    return TimestampFromTime(StartOf(
        absl::ToCivilDay(ToTime(*utc), absl::UTCTimeZone()), time_zone));
  }
  if (auto time = ParseRfc3339(text); time.ok()) return time;
  return absl::InvalidArgumentError(absl::StrCat(
      flag, ": expected ", kTimeHelp, ", found \"", Excerpt(text), "\""));
}

absl::Time StartOf(absl::CivilDay day, absl::TimeZone time_zone) {
  // If clocks skip midnight, the day starts at the transition.
  const auto info = time_zone.At(absl::CivilSecond(day));
  return info.kind == absl::TimeZone::TimeInfo::SKIPPED ? info.trans : info.pre;
}

absl::StatusOr<absl::TimeZone> ParseTimeZone(const std::string& name) {
  absl::TimeZone zone = absl::UTCTimeZone();
  if (name.empty() || absl::LoadTimeZone(name, &zone)) return zone;
  return absl::InvalidArgumentError(
      absl::StrCat("--time-zone: expected an IANA name such as Europe/Berlin, "
                   "found \"",
                   Excerpt(name), "\""));
}

absl::Time ToTime(const ::google::protobuf::Timestamp& timestamp) {
  return absl::FromUnixSeconds(timestamp.seconds()) +
         absl::Nanoseconds(timestamp.nanos());
}

std::string FormatInstant(const ::google::protobuf::Timestamp& timestamp,
                          absl::TimeZone zone) {
  return absl::FormatTime(zone == absl::UTCTimeZone()
                              ? "%Y-%m-%dT%H:%M:%E*SZ"
                              : "%Y-%m-%dT%H:%M:%E*S%Ez",
                          ToTime(timestamp), zone);
}

}  // namespace tokenusage
