// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/extract/layout.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_split.h"

namespace tokenusage::extract_internal {

Place::Place(std::string usage_path, std::string head_path)
    : usage(std::move(usage_path)), head(std::move(head_path)) {
  const std::vector<std::string> parts =
      absl::StrSplit(usage, '.', absl::SkipEmpty());
  // The last name is the rarest one.
  for (auto name = parts.rbegin(); name != parts.rend(); ++name) {
    names.emplace_back(*name);
  }
}

bool Place::MayBeIn(std::string_view json, bool skips_null) const {
  return std::all_of(names.begin(), names.end(), [&](const NameProbe& name) {
    return name.MayBeIn(json, skips_null);
  });
}

}  // namespace tokenusage::extract_internal
