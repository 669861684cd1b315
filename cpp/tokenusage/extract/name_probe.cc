// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/extract/name_probe.h"

#include <cstring>

#include "absl/strings/numbers.h"
#include "tokenusage/base/string_view.h"

namespace tokenusage::extract_internal {
namespace {

// Returns the place of `text` in `json` from `start` on, or npos. memmem is
// several times as fast as std::string_view::find.
std::size_t Find(std::string_view json, std::string_view text,
                 std::size_t start) {
  const void* const found = memmem(json.data() + start, json.size() - start,
                                   text.data(), text.size());
  return found == nullptr ? std::string_view::npos
                          : static_cast<std::size_t>(
                                static_cast<const char*>(found) - json.data());
}

}  // namespace

NameProbe::NameProbe(std::string_view name)
    : quoted_('"' + std::string(name) + '"') {}

// A name without escapes is there literally. One with escapes has a letter of
// the name as \u00XX: no shorter escape stands for such a letter.
bool NameProbe::MayBeIn(std::string_view json) const {
  if (Find(json, quoted_, 0) != std::string_view::npos) return true;
  constexpr std::string_view kEscape = "\\u00";
  for (std::size_t at = json.find('\\'); at != std::string_view::npos;
       at = json.find('\\', at + 1)) {
    if (json.substr(at, kEscape.size()) != kEscape) continue;
    int letter;
    const std::string_view digits = json.substr(at + kEscape.size(), 2);
    if (absl::SimpleHexAtoi(ToAbsl(digits), &letter) &&
        quoted_.find(static_cast<char>(letter), 1) < quoted_.size() - 1) {
      return true;
    }
  }
  return false;
}

bool NameProbe::IsNullIn(std::string_view json) const {
  std::size_t at = Find(json, quoted_, 0);
  if (at == std::string_view::npos) return false;
  for (; at != std::string_view::npos; at = Find(json, quoted_, at)) {
    at = json.find_first_not_of(" \t\r\n", at + quoted_.size());
    if (at == std::string_view::npos || json[at] != ':') return false;
    at = json.find_first_not_of(" \t\r\n", at + 1);
    if (at == std::string_view::npos || json.substr(at, 4) != "null") {
      return false;
    }
  }
  return true;
}

}  // namespace tokenusage::extract_internal
