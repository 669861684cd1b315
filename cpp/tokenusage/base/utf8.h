// SPDX-License-Identifier: Apache-2.0

// UTF-8 well-formedness (Unicode 15, table 3-7): no overlong forms, no
// surrogates, nothing above U+10FFFF.

#ifndef TOKENUSAGE_BASE_UTF8_H_
#define TOKENUSAGE_BASE_UTF8_H_

#include <cstddef>
#include <string_view>

namespace tokenusage {

// The length in bytes of the well-formed character that `text` starts with: 1
// to 4; 0 where `text` is empty or does not start with one. Thread-safe.
std::size_t Utf8CharLength(std::string_view text);

// Whether all of `text` is well-formed UTF-8. Thread-safe.
bool IsUtf8(std::string_view text);

}  // namespace tokenusage

#endif  // TOKENUSAGE_BASE_UTF8_H_
