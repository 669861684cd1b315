// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/server/time_zones.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace tokenusage {
namespace {

namespace fs = std::filesystem;

// Returns whether the file starts like a compiled time zone (RFC 8536).
bool IsTimeZoneFile(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  char magic[4] = {};
  file.read(magic, sizeof(magic));
  return file && std::string_view(magic, sizeof(magic)) == "TZif";
}

bool IsLeftOut(const fs::path& name) {
  return name == "posix" || name == "right" || name == "localtime" ||
         name == "posixrules";
}

}  // namespace

TimeZones TimeZones::FromSystem() {
  TimeZones result;
  result.zones_.emplace("UTC", absl::UTCTimeZone());
  const char* tzdir = std::getenv("TZDIR");
  const fs::path root = tzdir != nullptr ? tzdir : "/usr/share/zoneinfo";
  std::error_code error;
  fs::recursive_directory_iterator entry(root, error);
  for (const fs::recursive_directory_iterator end; !error && entry != end;
       entry.increment(error)) {
    std::error_code entry_error;
    if (entry.depth() == 0 && IsLeftOut(entry->path().filename())) {
      if (entry->is_directory(entry_error)) entry.disable_recursion_pending();
      continue;
    }
    if (!entry->is_regular_file(entry_error) ||
        !IsTimeZoneFile(entry->path())) {
      continue;
    }
    const std::string name = entry->path().lexically_relative(root).string();
    absl::TimeZone zone;
    if (absl::LoadTimeZone(name, &zone)) result.zones_.emplace(name, zone);
  }
  return result;
}

const absl::TimeZone* TimeZones::Find(std::string_view name) const {
  const auto found = zones_.find(name.empty() ? "UTC" : name);
  return found == zones_.end() ? nullptr : &found->second;
}

}  // namespace tokenusage
