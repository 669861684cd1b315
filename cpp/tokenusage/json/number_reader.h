// Reads doubles out of a document, without a copy and mostly without a loop.

#ifndef TOKENUSAGE_JSON_NUMBER_READER_H_
#define TOKENUSAGE_JSON_NUMBER_READER_H_

#include <cstddef>
#include <cstdint>

#include "tokenusage/json/decimal.h"
#include "tokenusage/json/digits.h"

namespace tokenusage {
namespace json_internal {

// Bytes from the start of a number on that the functions below may read.
inline constexpr std::ptrdiff_t kNumberWindow = 32;

// Shorter rests of a document are copied to be read. More than is read of a
// short number, or it would hang on the last number's length what is done.
inline constexpr std::ptrdiff_t kShortNumberWindow = 16;

// Bytes that TakeShortDouble reads.
inline constexpr std::ptrdiff_t kShortNumberBytes = 9;

inline bool IsExponent(char c) { return (c | 0x20) == 'e'; }

// Takes a number of at most eight characters, without sign and exponent; false
// for anything else, and nothing is taken. What lies behind the document's end
// may seem to be part of the number. What follows it, an exponent too, is the
// caller's to check.
__attribute__((always_inline)) inline bool TakeShortDouble(const char** p,
                                                           double* value) {
  const std::uint64_t values = LoadWord(*p) ^ kEightZeros;
  const std::uint64_t later = LoadWord(*p + 1) ^ kEightZeros;
  const std::uint64_t others = NotDigits(later);
  if (others == 0) return false;
  // The positions of bits stand for those of characters.
  const auto whole = static_cast<std::uint32_t>(__builtin_ctzll(others));
  const auto first = static_cast<std::uint8_t>(values);
  if (first > 9 || (first == 0 && whole != 7)) return false;
  if ((*p)[whole / 8 + 1] != '.') {
    *value = static_cast<double>(
        static_cast<std::int64_t>(FromDigits(values << (~whole % 64))));
    *p += whole / 8 + 1;
    return true;
  }
  const std::uint64_t more = others & (others - 1);
  if (more == 0) return false;
  const auto all = static_cast<std::uint32_t>(__builtin_ctzll(more));
  if (all - whole == 8) return false;
  // Close the gap that the point leaves.
  const std::uint64_t before = (std::uint64_t{2} << whole) - 1;
  const std::uint64_t digits = (values & before) | (later & ~before);
  *value = static_cast<double>(
               static_cast<std::int64_t>(FromDigits(digits << (71 - all)))) /
           kExactPowers[(all - whole) / 8 - 1];
  *p += all / 8 + 1;
  return true;
}

// Any number at `p` that ends before `end`, or at it: returns its end; null
// where there is none, or where it rounds to an infinity. What follows it is
// the caller's to check. `padded` says that kNumberWindow bytes behind `end`
// may be read.
const char* ReadOtherDouble(const char* p, const char* end, bool padded,
                            double* value);

// The same, fast where the number is plain: takes it, or returns false.
template <bool kPadded>
__attribute__((always_inline)) inline bool TakeDouble(const char** p,
                                                      const char* end,
                                                      double* value) {
  const char* after = *p;
  // One that ends behind `end` may have run into what lies there.
  if (__builtin_expect((kPadded || end - after >= kShortNumberWindow) &&
                           TakeShortDouble(&after, value) &&
                           (!kPadded || after <= end) && !IsExponent(*after),
                       1)) {
    *p = after;
    return true;
  }
  after = ReadOtherDouble(*p, end, kPadded, value);
  if (after == nullptr) return false;
  *p = after;
  return true;
}

}  // namespace json_internal
}  // namespace tokenusage

#endif  // TOKENUSAGE_JSON_NUMBER_READER_H_
