// SPDX-License-Identifier: Apache-2.0
//
// Writes numbers: the shortest decimal that reads back to the same value, as
// ECMAScript prints it, except that -0 is -0. All functions are thread-safe.
//
//   char text[kNumberRoom];
//   const char* end = PutDouble(8105.75, text);
//   if (end == nullptr) ...  // NaN or an infinity
//
// `out` must have kNumberRoom bytes, all of which may be written to. Each
// function returns the number's end.

#ifndef TOKENUSAGE_JSON_INTERNAL_NUMBER_WRITER_H_
#define TOKENUSAGE_JSON_INTERNAL_NUMBER_WRITER_H_

#include <cstddef>
#include <cstdint>

#include "tokenusage/json/internal/digits.h"

namespace tokenusage {
namespace json_internal {

inline constexpr std::size_t kNumberRoom = 48;

// Write any number. Return null if `value` is not finite.
char* PutLongDouble(double value, char* out);
char* PutFloat(float value, char* out);

// The least number of one digit, of two, and so on.
inline constexpr std::uint32_t kLeastOfDigits[] = {
    0, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};

// Writes a number below 10^8.
inline char* PutShortInteger(std::uint32_t value, char* out) {
  // The number of digits is computed from that of bits. What is written next
  // depends on this number's end, and so need not wait for its digits.
  const int bits = 32 - __builtin_clz(value | 1);
  const int guess = (bits * 1233) >> 12;
  const int digits = guess + (value >= kLeastOfDigits[guess] ? 1 : 0);
  StoreWord((ToDigits(value) | kEightZeros) >> (64 - 8 * digits), out);
  return out + digits;
}

// Writes any integer; one beyond 2^53 in magnitude in quotes, since a reader
// whose numbers are doubles would not see the same integer.
char* PutLongInteger(bool negative, std::uint64_t magnitude, char* out);

inline char* PutInteger(std::uint64_t value, char* out) {
  if (value < 100'000'000) {
    return PutShortInteger(static_cast<std::uint32_t>(value), out);
  }
  return PutLongInteger(false, value, out);
}

inline char* PutInteger(std::int64_t value, char* out) {
  const auto bits = static_cast<std::uint64_t>(value);
  return value < 0 ? PutLongInteger(true, 0 - bits, out)
                   : PutInteger(bits, out);
}

// Writes a double; returns null if it is not finite. If it is from 0.01 to
// below a million and has at most two decimals, no branch depends on its number
// of digits.
inline char* PutDouble(double value, char* out) {
  const double scaled = value * 100;
  if (!(scaled >= 0.5 && scaled < 99999999)) return PutLongDouble(value, out);
  const auto cents = static_cast<std::uint32_t>(scaled + 0.5);
  // No two decimals of so few digits are the same double, so if this one reads
  // back to the value, it is the shortest that does.
  if (cents / 100.0 != value) return PutLongDouble(value, out);
  const std::uint64_t digits = ToDigits(cents);
  // Six digits of the whole number, of which the last one is always written.
  const int zeros = LeadingZeros(digits | std::uint64_t{1} << 40);
  StoreWord((digits | kEightZeros) >> (8 * zeros), out);
  out += 6 - zeros;
  const std::uint64_t decimals = digits >> 48;
  StoreWord('.' | (decimals | 0x3030) << 8, out);
  return out + (decimals > 0xFF ? 3 : decimals > 0 ? 2 : 0);
}

}  // namespace json_internal
}  // namespace tokenusage

#endif  // TOKENUSAGE_JSON_INTERNAL_NUMBER_WRITER_H_
