// SPDX-License-Identifier: Apache-2.0

// Checks whether text is well-formed UTF-8 (Unicode 15, table 3-7): no overlong
// encodings, no surrogates, nothing above U+10FFFF.
//
//   if (!IsUtf8(text)) return absl::InvalidArgumentError("not UTF-8");

#ifndef TOKENUSAGE_BASE_UTF8_H_
#define TOKENUSAGE_BASE_UTF8_H_

#include <cstddef>
#include <string_view>

namespace tokenusage {

// Returns the length in bytes, 1 to 4, of the character that `text` starts
// with; 0 if `text` is empty or its first character is not well-formed.
// Thread-safe.
std::size_t Utf8CharLength(std::string_view text);

// Returns whether `text`, which may be empty, is well-formed UTF-8.
// Thread-safe.
bool IsUtf8(std::string_view text);

}  // namespace tokenusage

#endif  // TOKENUSAGE_BASE_UTF8_H_
