// SPDX-License-Identifier: Apache-2.0

// Conversions between std::string_view and abseil's own string_view.
//
// Public headers use std::string_view. Abseil's string_view is another class in
// some builds (Debian 12's) and the same one in others; these two functions
// compile in both and cost nothing.
//
//   absl::Status error = absl::InvalidArgumentError(ToAbsl(text));

#ifndef TOKENUSAGE_BASE_STRING_VIEW_H_
#define TOKENUSAGE_BASE_STRING_VIEW_H_

#include <string_view>

#include "absl/strings/string_view.h"

namespace tokenusage {

inline absl::string_view ToAbsl(std::string_view text) {
  return absl::string_view(text.data(), text.size());
}

inline std::string_view FromAbsl(absl::string_view text) {
  return std::string_view(text.data(), text.size());
}

}  // namespace tokenusage

#endif  // TOKENUSAGE_BASE_STRING_VIEW_H_
