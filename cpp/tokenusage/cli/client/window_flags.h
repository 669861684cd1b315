// SPDX-License-Identifier: Apache-2.0

// --start, --end, --month and --time-zone, shared by the commands that read.

#ifndef TOKENUSAGE_CLI_CLIENT_WINDOW_FLAGS_H_
#define TOKENUSAGE_CLI_CLIENT_WINDOW_FLAGS_H_

#include <string>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "google/protobuf/timestamp.pb.h"
#include "tokenusage/base/proto_time.h"

namespace tokenusage {

// The default window holds every record.
inline constexpr char kDefaultStart[] = "2000-01-01T00:00:00Z";
inline constexpr char kDefaultEnd[] = "2200-01-01T00:00:00Z";
struct WindowFlags {
  std::string start = kDefaultStart;
  std::string end = kDefaultEnd;
  std::string month;
  std::string time_zone;
};
void AddWindowFlags(CLI::App* command, WindowFlags* flags);

// A span of time, [start, end), and the zone of its days.
struct ZonedWindow {
  absl::Time start;
  absl::Time end;
  absl::TimeZone zone;
  std::string zone_name;  // IANA
};

// Returns the window that the flags mean at `now`. Errors: INVALID_ARGUMENT,
// naming the flag.
absl::StatusOr<ZonedWindow> ParseWindow(const WindowFlags& flags,
                                        absl::Time now);

// Returns the window to compare with, which lies before this one. Whole months
// give as many months before them. A window that starts with a day is moved
// back by the number of days that it touches, and keeps its civil times: today
// until 15:00 gives yesterday until 15:00. Any other gives the span of the same
// length before it.
ZonedWindow WindowBefore(const ZonedWindow& window);

// Returns a time in the zone, as a date if it is the start of a day.
std::string FormatZoned(absl::Time time, absl::TimeZone zone);

// Sets a request's start_time and end_time.
template <typename Request>
void SetWindow(const ZonedWindow& window, Request* request) {
  *request->mutable_start_time() = TimestampFromTime(window.start);
  *request->mutable_end_time() = TimestampFromTime(window.end);
}

// Returns true if a call failed because records at the start of the default
// window were removed: then moves start_time to the horizon, and says so on
// stderr.
bool StartAtHorizon(const WindowFlags& flags, const absl::Status& status,
                    ::google::protobuf::Timestamp* start_time);

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLI_CLIENT_WINDOW_FLAGS_H_
