// SPDX-License-Identifier: Apache-2.0
//
// Handles eight decimal digits at a time, in one 64-bit word: the first digit
// is in the byte that comes first in memory.

#ifndef TOKENUSAGE_JSON_INTERNAL_DIGITS_H_
#define TOKENUSAGE_JSON_INTERNAL_DIGITS_H_

#include <cstdint>
#include <cstring>

namespace tokenusage {
namespace json_internal {

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "words of text are read and written in little-endian order"
#endif

inline constexpr std::uint64_t kEightZeros = 0x3030303030303030;

inline std::uint64_t LoadWord(const char* p) {
  std::uint64_t word;
  std::memcpy(&word, p, sizeof(word));
  return word;
}

inline void StoreWord(std::uint64_t word, char* p) {
  std::memcpy(p, &word, sizeof(word));
}

// Takes the values of eight characters (c ^ '0'), and returns a word with the
// highest bit of each byte that is not a digit. Carries from bytes that are not
// ASCII may set the bits of digits after them: only the lowest set bit is
// right, and the second lowest if the lowest is that of an ASCII character.
__attribute__((always_inline)) inline std::uint64_t NotDigits(
    std::uint64_t values) {
  return ((values + 0x7676767676767676) | values) & 0x8080808080808080;
}

// Returns the number that eight digits make, each given by its value (0 to 9).
__attribute__((always_inline)) inline std::uint64_t FromDigits(
    std::uint64_t digits) {
  digits = digits * 10 + (digits >> 8);
  constexpr std::uint64_t kMask = 0x000000FF000000FF;
  return (((digits & kMask) * 0x000F424000000064) +
          (((digits >> 16) & kMask) * 0x0000271000000001)) >>
         32;
}

// Returns the values of the eight digits of a number below 10^8, with leading
// zeros.
inline std::uint64_t ToDigits(std::uint32_t number) {
  const std::uint64_t fours = number / 10000 | std::uint64_t{number % 10000}
                                                   << 32;
  const std::uint64_t hundreds = ((fours * 10486) >> 20) & 0x0000007F0000007F;
  const std::uint64_t pairs = hundreds | (fours - 100 * hundreds) << 16;
  const std::uint64_t tens = ((pairs * 103) >> 10) & 0x000F000F000F000F;
  return tens | (pairs - 10 * tens) << 8;
}

// Returns the number of leading zeros of eight values; `digits` is not zero.
inline int LeadingZeros(std::uint64_t digits) {
  return __builtin_ctzll(digits) / 8;
}

}  // namespace json_internal
}  // namespace tokenusage

#endif  // TOKENUSAGE_JSON_INTERNAL_DIGITS_H_
