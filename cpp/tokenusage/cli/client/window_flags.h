// SPDX-License-Identifier: Apache-2.0

// --start, --end and --time-zone, shared by the commands that read.

#ifndef TOKENUSAGE_CLI_CLIENT_WINDOW_FLAGS_H_
#define TOKENUSAGE_CLI_CLIENT_WINDOW_FLAGS_H_

#include <string>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "google/protobuf/timestamp.pb.h"

namespace tokenusage {

// The default window holds every record.
inline constexpr char kDefaultStart[] = "2000-01-01T00:00:00Z";
struct WindowFlags {
  std::string start = kDefaultStart;
  std::string end = "2200-01-01T00:00:00Z";
  std::string time_zone;

  absl::TimeZone zone;  // set by ParseWindow
};
void AddWindowFlags(CLI::App* command, WindowFlags* flags);

// Sets a request's start_time and end_time. Errors: INVALID_ARGUMENT, naming
// the flag.
absl::Status ParseWindow(WindowFlags* flags,
                         ::google::protobuf::Timestamp* start_time,
                         ::google::protobuf::Timestamp* end_time);

// Returns true if a call failed because the records at the start of the default
// window were removed: then sets start_time to the horizon, and says so.
bool StartAtHorizon(const WindowFlags& flags, const absl::Status& status,
                    ::google::protobuf::Timestamp* start_time);

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLI_CLIENT_WINDOW_FLAGS_H_
