// SPDX-License-Identifier: Apache-2.0

// Tells cheaply that a JSON text has no member of a name, so that it need not
// be read. Only for the files of this folder.

#ifndef TOKENUSAGE_EXTRACT_NAME_PROBE_H_
#define TOKENUSAGE_EXTRACT_NAME_PROBE_H_

#include <string>
#include <string_view>

namespace tokenusage::extract_internal {

class NameProbe {
 public:
  // `name` is ASCII.
  explicit NameProbe(std::string_view name);

  std::string_view name() const {
    return std::string_view(quoted_).substr(1, quoted_.size() - 2);
  }

  // Returns false only if no string of `json` is the name.
  bool MayBeIn(std::string_view json) const;

  // Returns whether the name is in `json`, and each time a member that is null.
  bool IsNullIn(std::string_view json) const;

 private:
  std::string quoted_;
};

}  // namespace tokenusage::extract_internal

#endif  // TOKENUSAGE_EXTRACT_NAME_PROBE_H_
