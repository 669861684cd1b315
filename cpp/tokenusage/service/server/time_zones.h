// SPDX-License-Identifier: Apache-2.0

// The time zones that queries may name.
//
//   TimeZones zones = TimeZones::FromSystem();
//   const absl::TimeZone* berlin = zones.Find("Europe/Berlin");
//
// The loader behind absl::LoadTimeZone opens any path and caches every spelling
// permanently, so names from callers must not reach it: the names are listed
// once, and only those are loaded.

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
  // Loads all zones of the system's zoneinfo folder: $TZDIR, or
  // /usr/share/zoneinfo. Skips its `posix/` and `right/` (leap seconds) folders
  // and the machine's own settings `localtime` and `posixrules`. If the folder
  // is missing, the only name is "UTC".
  static TimeZones FromSystem();

  // Returns the zone of that exact name, "" being UTC; null if there is none.
  // Valid as long as this object.
  const absl::TimeZone* Find(std::string_view name) const;

  // Returns the number of names.
  std::size_t size() const { return zones_.size(); }

 private:
  std::map<std::string, absl::TimeZone, std::less<>> zones_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_SERVER_TIME_ZONES_H_
