// SPDX-License-Identifier: Apache-2.0

// Excerpts of untrusted input for error messages.
//
//   Excerpt("a\nb")  // a\nb, with a backslash and an n

#ifndef TOKENUSAGE_BASE_EXCERPT_H_
#define TOKENUSAGE_BASE_EXCERPT_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace tokenusage {

// The maximum number of characters of an input that an error message repeats.
inline constexpr std::size_t kExcerptMaxChars = 40;

// Returns the first `max_chars` characters of `text`, followed by "..." if
// there are more. Control characters (U+0000-001F, U+007F-009F) and bytes that
// are not UTF-8 are escaped as \n, \u0001 or \xff, so that the result is one
// line of valid UTF-8. Thread-safe.
std::string Excerpt(std::string_view text,
                    std::size_t max_chars = kExcerptMaxChars);

}  // namespace tokenusage

#endif  // TOKENUSAGE_BASE_EXCERPT_H_
