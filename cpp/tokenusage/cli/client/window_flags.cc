// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/cli/client/window_flags.h"

#include <cstdint>
#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "tokenusage/base/excerpt.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/cli/terminal.h"
#include "tokenusage/cli/times.h"
#include "tokenusage/rpc/error_info.h"

namespace tokenusage {
namespace {

constexpr char kWindowTimeHelp[] =
    "2026-11-01T09:30:00Z, with any offset; 2026-11-01T09:30 or 2026-11-01, in "
    "--time-zone; today, yesterday or now; 30m or 12h ago; or 7d or 4w ago, at "
    "the start of that day";

// Parses a time that is relative to now.
std::optional<absl::Time> ParseRelative(const std::string& text,
                                        absl::TimeZone zone, absl::Time now) {
  const absl::CivilDay today = absl::ToCivilDay(now, zone);
  if (text == "now") return now;
  if (text == "today") return StartOf(today, zone);
  if (text == "yesterday") return StartOf(today - 1, zone);
  constexpr std::uint32_t kMaxAgo = 100'000;
  std::uint32_t ago = 0;
  const std::string digits = text.substr(0, text.empty() ? 0 : text.size() - 1);
  if (digits.find_first_not_of("0123456789") != std::string::npos ||
      !absl::SimpleAtoi(digits, &ago) || ago > kMaxAgo) {
    return std::nullopt;
  }
  switch (text.back()) {
    case 'm':
      return now - absl::Minutes(ago);
    case 'h':
      return now - absl::Hours(ago);
    case 'd':
      return StartOf(today - ago, zone);
    case 'w':
      return StartOf(today - 7 * static_cast<std::int64_t>(ago), zone);
    default:
      return std::nullopt;
  }
}

absl::StatusOr<absl::Time> ParseWindowTime(const std::string& flag,
                                           const std::string& text,
                                           absl::TimeZone zone,
                                           absl::Time now) {
  if (const auto time = ParseRelative(text, zone, now)) return *time;
  if (const auto time = ParseTime(flag, text, zone); time.ok()) {
    return ToTime(*time);
  }
  // A time without an offset is parsed as UTC, for its civil time in the zone.
  for (const char* rest : {"Z", ":00Z"}) {
    const auto utc = ParseTime(flag, text + rest, zone);
    if (!utc.ok()) continue;
    const absl::CivilSecond second =
        absl::ToCivilSecond(ToTime(*utc), absl::UTCTimeZone());
    return absl::FromCivil(second, zone) + absl::Nanoseconds(utc->nanos());
  }
  return absl::InvalidArgumentError(absl::StrCat(
      flag, ": expected ", kWindowTimeHelp, "; found \"", Excerpt(text), "\""));
}

absl::Status ParseMonth(const std::string& text, ZonedWindow* window) {
  const auto first = ParseTime("--month", text + "-01", absl::UTCTimeZone());
  if (!first.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--month: expected a month such as 2026-10, found \"",
                     Excerpt(text), "\""));
  }
  const absl::CivilMonth month =
      absl::ToCivilMonth(ToTime(*first), absl::UTCTimeZone());
  window->start = StartOf(absl::CivilDay(month), window->zone);
  window->end = StartOf(absl::CivilDay(month + 1), window->zone);
  return absl::OkStatus();
}

bool StartsDay(absl::Time time, absl::TimeZone zone) {
  return StartOf(absl::ToCivilDay(time, zone), zone) == time;
}

bool StartsMonth(absl::Time time, absl::TimeZone zone) {
  return StartsDay(time, zone) && absl::ToCivilDay(time, zone).day() == 1;
}

}  // namespace

void AddWindowFlags(CLI::App* command, WindowFlags* flags) {
  CLI::Option* const start =
      command
          ->add_option("--start,--since", flags->start,
                       absl::StrCat("Start of the window: ", kWindowTimeHelp))
          ->type_name("TIME")
          ->capture_default_str();
  CLI::Option* const end =
      command
          ->add_option("--end", flags->end,
                       "End of the window (exclusive), same formats as --start")
          ->type_name("TIME")
          ->capture_default_str();
  command
      ->add_option("--month", flags->month,
                   "A month as the window, such as 2026-10")
      ->type_name("MONTH")
      ->excludes(start)
      ->excludes(end);
  command->add_option("--time-zone", flags->time_zone,
                      "The IANA time zone of days and local times, such as "
                      "Europe/Berlin; default UTC");
}

absl::StatusOr<ZonedWindow> ParseWindow(const WindowFlags& flags,
                                        absl::Time now) {
  ZonedWindow window;
  TOKENUSAGE_ASSIGN_OR_RETURN(window.zone, ParseTimeZone(flags.time_zone));
  window.zone_name = flags.time_zone.empty() ? "UTC" : flags.time_zone;
  if (!flags.month.empty()) {
    TOKENUSAGE_RETURN_IF_ERROR(ParseMonth(flags.month, &window));
    return window;
  }
  TOKENUSAGE_ASSIGN_OR_RETURN(
      window.start, ParseWindowTime("--start", flags.start, window.zone, now));
  TOKENUSAGE_ASSIGN_OR_RETURN(
      window.end, ParseWindowTime("--end", flags.end, window.zone, now));
  return window;
}

ZonedWindow WindowBefore(const ZonedWindow& window) {
  const absl::TimeZone zone = window.zone;
  ZonedWindow before = window;
  if (StartsMonth(window.start, zone) && StartsMonth(window.end, zone)) {
    const absl::CivilMonth first = absl::ToCivilMonth(window.start, zone);
    const auto months = absl::ToCivilMonth(window.end, zone) - first;
    before.start = StartOf(absl::CivilDay(first - months), zone);
    before.end = window.start;
  } else if (StartsDay(window.start, zone)) {
    const absl::CivilDay last = absl::ToCivilDay(window.end, zone);
    const bool whole_days = StartsDay(window.end, zone);
    const auto days =
        last - absl::ToCivilDay(window.start, zone) + (whole_days ? 0 : 1);
    before.start = StartOf(absl::ToCivilDay(window.start, zone) - days, zone);
    before.end = window.start;
    if (!whole_days) {
      const absl::CivilSecond end = absl::ToCivilSecond(window.end, zone);
      before.end = absl::FromCivil(end - days * 86400, zone);
    }
  } else {
    before.start -= window.end - window.start;
    before.end = window.start;
  }
  return before;
}

std::string FormatZoned(absl::Time time, absl::TimeZone zone) {
  return absl::FormatTime(
      StartsDay(time, zone) ? "%Y-%m-%d" : "%Y-%m-%dT%H:%M:%E*S%Ez", time,
      zone);
}

bool StartAtHorizon(const WindowFlags& flags, const absl::Status& status,
                    ::google::protobuf::Timestamp* start_time) {
  if (status.ok() || flags.start != kDefaultStart || !flags.month.empty()) {
    return false;
  }
  const std::optional<ErrorInfo> info = GetErrorInfo(status);
  if (!info || info->reason != "WINDOW_BEFORE_HORIZON") return false;
  const auto horizon = info->metadata.find("horizon");
  if (horizon == info->metadata.end()) return false;
  const auto time = ParseTime("horizon", horizon->second, absl::UTCTimeZone());
  if (!time.ok() || ToTime(*time) <= ToTime(*start_time)) return false;
  *start_time = *time;
  PrintError(absl::StrCat("the records before ", horizon->second,
                          " were removed: starting there"));
  return true;
}

}  // namespace tokenusage
