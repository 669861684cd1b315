// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/cli/client/window_flags.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/cli/terminal.h"
#include "tokenusage/cli/times.h"
#include "tokenusage/rpc/error_info.h"

namespace tokenusage {

void AddWindowFlags(CLI::App* command, WindowFlags* flags) {
  command
      ->add_option("--start", flags->start,
                   absl::StrCat("Start of the window: ", kTimeHelp))
      ->type_name("TIME")
      ->capture_default_str();
  command
      ->add_option("--end", flags->end,
                   "End of the window (exclusive), same formats as --start")
      ->type_name("TIME")
      ->capture_default_str();
  command->add_option("--time-zone", flags->time_zone,
                      "The IANA time zone of days, such as Europe/Berlin; "
                      "default UTC");
}

absl::Status ParseWindow(WindowFlags* flags,
                         ::google::protobuf::Timestamp* start_time,
                         ::google::protobuf::Timestamp* end_time) {
  TOKENUSAGE_ASSIGN_OR_RETURN(flags->zone, ParseTimeZone(flags->time_zone));
  TOKENUSAGE_ASSIGN_OR_RETURN(*start_time,
                              ParseTime("--start", flags->start, flags->zone));
  TOKENUSAGE_ASSIGN_OR_RETURN(*end_time,
                              ParseTime("--end", flags->end, flags->zone));
  return absl::OkStatus();
}

bool StartAtHorizon(const WindowFlags& flags, const absl::Status& status,
                    ::google::protobuf::Timestamp* start_time) {
  if (status.ok() || flags.start != kDefaultStart) return false;
  const std::optional<ErrorInfo> info = GetErrorInfo(status);
  if (!info || info->reason != "WINDOW_BEFORE_HORIZON") return false;
  const auto horizon = info->metadata.find("horizon");
  if (horizon == info->metadata.end()) return false;
  const auto time = ParseTime("horizon", horizon->second, absl::UTCTimeZone());
  if (!time.ok()) return false;
  *start_time = *time;
  PrintError(absl::StrCat("the records before ", horizon->second,
                          " were removed: starting there"));
  return true;
}

}  // namespace tokenusage
