// SPDX-License-Identifier: Apache-2.0

// Parses and formats times on the command line.

#ifndef TOKENUSAGE_CLI_TIMES_H_
#define TOKENUSAGE_CLI_TIMES_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "google/protobuf/timestamp.pb.h"

namespace tokenusage {

// The formats that ParseTime accepts, for --help.
inline constexpr char kTimeHelp[] =
    "2026-11-01T09:30:00Z, with any offset, or 2026-11-01, the start of that "
    "day in --time-zone";

// Parses an RFC 3339 time, or a date, which is the first instant of that day in
// `time_zone`. Errors: INVALID_ARGUMENT, naming `flag`.
absl::StatusOr<::google::protobuf::Timestamp> ParseTime(
    const std::string& flag, const std::string& text, absl::TimeZone time_zone);

// Returns the first instant of a day.
absl::Time StartOf(absl::CivilDay day, absl::TimeZone time_zone);

// Finds the zone with this IANA name on this machine; empty is UTC. Errors:
// INVALID_ARGUMENT, naming --time-zone.
absl::StatusOr<absl::TimeZone> ParseTimeZone(const std::string& name);

// Converts a Timestamp.
absl::Time ToTime(const ::google::protobuf::Timestamp& timestamp);

// Returns the time in RFC 3339, with all its decimals and the zone's offset: Z
// for UTC.
std::string FormatInstant(const ::google::protobuf::Timestamp& timestamp,
                          absl::TimeZone zone);

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLI_TIMES_H_
