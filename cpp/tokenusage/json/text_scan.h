// Finds the end of plain text, many bytes at a time.

#ifndef TOKENUSAGE_JSON_TEXT_SCAN_H_
#define TOKENUSAGE_JSON_TEXT_SCAN_H_

#include <cstddef>

#include "tokenusage/json/digits.h"

namespace tokenusage {
namespace json_internal {

// The first of the bytes from `p` that cannot stand for itself in a string: a
// quote, a backslash, a control character or a byte that is not ASCII; `end`
// where there is none. Thread-safe.
const char* PlainTextEnd(const char* p, const char* end);

// The same for any machine and for one with AVX2, one of which PlainTextEnd is.
const char* PlainTextEndPortable(const char* p, const char* end);
#if defined(__x86_64__)
const char* PlainTextEndAvx2(const char* p, const char* end);
#endif

// Whether a character stands for itself in a string.
inline bool IsPlain(char c) {
  return static_cast<signed char>(c) >= 0x20 && c != '"' && c != '\\';
}

// PlainTextEnd for text that is mostly short.
inline const char* ShortPlainTextEnd(const char* p, const char* end) {
  for (int words = 0; end - p >= 8; p += 8) {
    if (words++ == 4) return PlainTextEnd(p, end);
    constexpr std::uint64_t kOnes = 0x0101010101010101;
    const std::uint64_t word = LoadWord(p);
    // The lowest bit set is right: a borrow reaches upwards only.
    const std::uint64_t found =
        ((word - kOnes * 0x20) | ((word ^ kOnes * '"') - kOnes) |
         ((word ^ kOnes * '\\') - kOnes) | word) &
        (kOnes * 0x80);
    if (found != 0) return p + __builtin_ctzll(found) / 8;
  }
  while (p < end && IsPlain(*p)) ++p;
  return p;
}

}  // namespace json_internal
}  // namespace tokenusage

#endif  // TOKENUSAGE_JSON_TEXT_SCAN_H_
