// SPDX-License-Identifier: Apache-2.0
//
// Checks and decodes the text of JSON strings: RFC 8259's escapes, and UTF-8.
//
//   bool escaped = false;
//   const char* const quote = FindStringEnd(p, end, &escaped);
//   if (quote == nullptr) ScanString(p, end, nullptr, &error);  // says why
//
// All functions are thread-safe.

#ifndef TOKENUSAGE_JSON_INTERNAL_TEXT_H_
#define TOKENUSAGE_JSON_INTERNAL_TEXT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "tokenusage/json/internal/digits.h"

namespace tokenusage {
namespace json_internal {

// The position at which a string breaks the rules, and what was expected there.
struct TextError {
  const char* at = nullptr;
  std::string_view expected;
  bool is_lone_surrogate = false;
};

// Returns the closing quote of the string whose text starts at `p`, after the
// opening one; null if the text is not valid or does not end before `end`.
// Unless it returns null, sets `*escaped` to whether the text has escapes.
const char* FindStringEnd(const char* p, const char* end, bool* escaped);

// Does the same, 64 bytes at a time. Only for processors with AVX2.
const char* FindStringEndByBlocks(const char* p, const char* end,
                                  bool* escaped);

// Does the same, character by character. Describes an error in `*error`, and
// appends the text, with its escapes resolved, to `*unescaped`. Either pointer
// may be null.
const char* ScanString(const char* p, const char* end, std::string* unescaped,
                       TextError* error);

// Decodes the escape that starts at the backslash `p` into `*code`; a pair of
// surrogates is one escape. Returns its end. If it is not valid, returns null
// and describes the error in `*error`, unless `error` is null.
const char* TakeEscape(const char* p, const char* end, std::uint32_t* code,
                       TextError* error);

// Returns the first of the eight bytes at `p` that does not stand for itself in
// a string: a quote, a backslash, a control character or one that is not ASCII;
// null if all do.
inline const char* FindNotPlain(const char* p) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  const std::uint64_t word = LoadWord(p);
  // The lowest bit set is right: a borrow reaches upwards only.
  const std::uint64_t found =
      ((word - kOnes * 0x20) | ((word ^ kOnes * '"') - kOnes) |
       ((word ^ kOnes * '\\') - kOnes) | word) &
      (kOnes * 0x80);
  return found == 0 ? nullptr : p + __builtin_ctzll(found) / 8;
}

// Does the same for the 16 bytes at `p`.
inline const char* FindNotPlainOf16(const char* p) {
#if defined(__SSE2__)
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  // Only the highest bit of each byte counts. It is set in bytes that are not
  // ASCII, and stays set, since the subtraction saturates.
  const __m128i special =
      _mm_or_si128(_mm_subs_epi8(bytes, _mm_set1_epi8(0x20)),
                   _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
                                _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))));
  const int found = _mm_movemask_epi8(special);
  return found == 0 ? nullptr : p + __builtin_ctz(static_cast<unsigned>(found));
#else
  const char* const found = FindNotPlain(p);
  return found != nullptr ? found : FindNotPlain(p + 8);
#endif
}

// Returns the closing quote of the string whose text starts at `p`, if the text
// is shorter than 32 bytes and stands for itself; null otherwise. 32 bytes must
// be readable.
inline const char* FindShortStringEnd(const char* p) {
  const char* stop = FindNotPlainOf16(p);
  if (stop == nullptr) stop = FindNotPlainOf16(p + 16);
  return stop != nullptr && *stop == '"' ? stop : nullptr;
}

// Returns whether `text` stands for itself in a string.
bool IsPlain(std::string_view text);

}  // namespace json_internal
}  // namespace tokenusage

#endif  // TOKENUSAGE_JSON_INTERNAL_TEXT_H_
