// SPDX-License-Identifier: Apache-2.0
//
// Reads numbers as JSON spells them: the grammar of RFC 8259, correctly
// rounded, whatever the locale. All functions are thread-safe.
//
//   double value;
//   const char* after = TakeDouble(p, end, &value);
//   if (after == nullptr) ...  // not a number, or one that is out of range

#ifndef TOKENUSAGE_JSON_INTERNAL_NUMBER_H_
#define TOKENUSAGE_JSON_INTERNAL_NUMBER_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tokenusage/json/internal/digits.h"
#include "tokenusage/json/internal/field_kind.h"

namespace tokenusage {
namespace json_internal {

struct NumberSpan {
  bool valid = false;
  // The number's length; if it is not valid, how far the grammar held.
  std::size_t length = 0;
};

// Scans the number by RFC 8259 that `text` starts with, and does not go back:
// it is 12 in "12x", but not valid in "1.x".
NumberSpan ScanNumber(std::string_view text);

// Returns whether all of `text` is one number by RFC 8259.
bool IsNumber(std::string_view text);

// The Parse functions take a `number` for which IsNumber holds, and return
// false if the type cannot hold its value. Doubles and floats are the nearest
// ones, ties to even; what rounds to an infinity is refused. Integers are
// exact, however they are written: 100, 1e2 or 100.0.
bool ParseNumber(std::string_view number, double* value);
bool ParseNumber(std::string_view number, float* value);
bool ParseNumber(std::string_view number, std::int32_t* value);
bool ParseNumber(std::string_view number, std::int64_t* value);
bool ParseNumber(std::string_view number, std::uint32_t* value);
bool ParseNumber(std::string_view number, std::uint64_t* value);

// The Take functions read a number that starts at `p`, from which kNumberWindow
// bytes must be readable, and return its end. The caller checks what follows.
inline constexpr std::ptrdiff_t kNumberWindow = 32;

inline bool IsExponent(char c) { return (c | 0x20) == 'e'; }

// Takes an integer of one to seven digits, without a sign; returns null for
// anything else.
inline const char* TakeShortInteger(const char* p, std::uint32_t* value) {
  const std::uint64_t values = LoadWord(p) ^ kEightZeros;
  const std::uint64_t others = NotDigits(values);
  if (others == 0) return nullptr;
  const auto count = static_cast<std::uint32_t>(__builtin_ctzll(others)) / 8;
  // One branch, which is hardly ever taken.
  const char next = p[count];
  const bool bad = (count == 0) | ((*p == '0') & (count != 1)) | (next == '.') |
                   IsExponent(next);
  if (__builtin_expect(bad, 0)) return nullptr;
  *value = static_cast<std::uint32_t>(FromDigits(values << (64 - 8 * count)));
  return p + count;
}

inline constexpr double kPowersOfTen[] = {1e0, 1e1, 1e2, 1e3,
                                          1e4, 1e5, 1e6, 1e7};

// Takes a number of at most eight characters, without sign and exponent;
// returns null for anything else.
TOKENUSAGE_INLINE const char* TakeShortDouble(const char* p, double* value) {
  const std::uint64_t values = LoadWord(p) ^ kEightZeros;
  const std::uint64_t later = LoadWord(p + 1) ^ kEightZeros;
  const std::uint64_t others = NotDigits(later);
  if (others == 0) return nullptr;
  // Positions of bits: 8 * i + 7 for the character i of `later`.
  const auto whole = static_cast<std::uint32_t>(__builtin_ctzll(others));
  const auto first = static_cast<std::uint8_t>(values);
  if (__builtin_expect(first - 1u > 8, 0) && (first != 0 || whole != 7)) {
    return nullptr;
  }
  const char* end = p + whole / 8 + 1;
  if (*end != '.') {
    *value = static_cast<double>(
        static_cast<std::int64_t>(FromDigits(values << (~whole % 64))));
    return IsExponent(*end) ? nullptr : end;
  }
  const std::uint64_t more = others & (others - 1);
  if (more == 0) return nullptr;
  const auto all = static_cast<std::uint32_t>(__builtin_ctzll(more));
  end = p + all / 8 + 1;
  if (all - whole == 8 || IsExponent(*end)) return nullptr;
  // Close the gap that the point leaves.
  const std::uint64_t before = (std::uint64_t{2} << whole) - 1;
  const std::uint64_t digits = (values & before) | (later & ~before);
  *value = static_cast<double>(
               static_cast<std::int64_t>(FromDigits(digits << (71 - all)))) /
           kPowersOfTen[(all - whole) / 8 - 1];
  return end;
}

// Takes any number that ends at or before `end`; returns null if there is none,
// or if it rounds to an infinity.
const char* TakeLongDouble(const char* p, const char* end, double* value);

inline const char* TakeDouble(const char* p, const char* end, double* value) {
  const char* const after = TakeShortDouble(p, value);
  if (__builtin_expect(after != nullptr, 1)) return after;
  return TakeLongDouble(p, end, value);
}

}  // namespace json_internal
}  // namespace tokenusage

#endif  // TOKENUSAGE_JSON_INTERNAL_NUMBER_H_
