// SPDX-License-Identifier: Apache-2.0

// Quickly rules out that a JSON text has a member of a given name, so that it
// need not be parsed. Only for the files of this folder.

#ifndef TOKENUSAGE_EXTRACT_NAME_PROBE_H_
#define TOKENUSAGE_EXTRACT_NAME_PROBE_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace tokenusage::extract_internal {

// Returns where `part`, of at least four bytes, first occurs in `text`, or
// npos. Several times as fast as memmem.
std::size_t FindPart(std::string_view text, std::string_view part);

// Returns where `json` first has an escape that may stand for a letter of a
// name, or npos.
std::size_t FindEscapedLetter(std::string_view json);

class NameProbe {
 public:
  // `name` consists of ASCII letters, digits, "-", "." and "_".
  explicit NameProbe(std::string_view name);

  std::string_view name() const {
    return std::string_view(quoted_).substr(1, quoted_.size() - 2);
  }

  // Returns where `json` first has the name, spelled without escapes, or npos.
  // Skips members that are null if `skips_null`.
  std::size_t Find(std::string_view json, bool skips_null = false) const;

  // Returns false only if no string of `json` is the name, in any spelling,
  // except for those that Find skips.
  bool MayBeIn(std::string_view json, bool skips_null = false) const;

 private:
  std::string quoted_;
};

}  // namespace tokenusage::extract_internal

#endif  // TOKENUSAGE_EXTRACT_NAME_PROBE_H_
