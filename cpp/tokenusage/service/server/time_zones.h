// SPDX-License-Identifier: Apache-2.0

// The time zones that queries may name.
//
//   TimeZones zones = TimeZones::FromSystem();
//   const absl::TimeZone* berlin = zones.Find("Europe/Berlin");
//
// The loader behind absl::LoadTimeZone opens any path it is given and keeps
// every spelling for good, so no name that a caller made up may reach it: the
// names are listed once, and only those are loaded.

#ifndef TOKENUSAGE_SERVICE_SERVER_TIME_ZONES_H_
#define TOKENUSAGE_SERVICE_SERVER_TIME_ZONES_H_

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace tokenusage {

// An immutable set of time zones. Thread-safe.
class TimeZones {
 public:
  // All zones of the system's zoneinfo folder: $TZDIR, or /usr/share/zoneinfo.
  // Its `posix/` and `right/` (leap seconds) folders are left out, and so are
  // the machine's own settings `localtime` and `posixrules`. Where the folder
  // is missing, the only name is "UTC".
  static TimeZones FromSystem();

  // The zone of that exact name, "" being UTC; null where there is none. Valid
  // as long as this object.
  const absl::TimeZone* Find(std::string_view name) const;

  // How many names there are.
  std::size_t size() const { return zones_.size(); }

 private:
  std::map<std::string, absl::TimeZone, std::less<>> zones_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_SERVER_TIME_ZONES_H_
