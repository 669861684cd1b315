// SPDX-License-Identifier: Apache-2.0

// Times on the command line.

#ifndef TOKENUSAGE_CLI_TIMES_H_
#define TOKENUSAGE_CLI_TIMES_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "google/protobuf/timestamp.pb.h"

namespace tokenusage {

// What ParseTime takes, for --help.
inline constexpr char kTimeFormHelp[] =
    "2026-11-01T09:30:00Z, with any offset, or 2026-11-01, the start of that "
    "day in --time-zone";

// An RFC 3339 time, or a date, which is the first instant of that day in
// `time_zone`. `flag` is named in the error: INVALID_ARGUMENT.
absl::StatusOr<google::protobuf::Timestamp> ParseTime(const std::string& flag,
                                                      const std::string& text,
                                                      absl::TimeZone time_zone);

// The zone of that IANA name, as this machine knows it; empty is UTC.
// INVALID_ARGUMENT, naming --time-zone, where it does not.
absl::StatusOr<absl::TimeZone> ParseTimeZone(const std::string& name);

// The instant of a Timestamp.
absl::Time ToTime(const google::protobuf::Timestamp& timestamp);

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLI_TIMES_H_
