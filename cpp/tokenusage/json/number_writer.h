// Writes numbers into memory that has room for them.

#ifndef TOKENUSAGE_JSON_NUMBER_WRITER_H_
#define TOKENUSAGE_JSON_NUMBER_WRITER_H_

#include <cstddef>
#include <cstdint>

#include "tokenusage/json/digits.h"

namespace tokenusage {
namespace json_internal {

// What every function here needs at `out`; it may all be written to, whatever
// the number's length.
inline constexpr std::size_t kNumberRoom = 48;

// Each writes a number and returns its end. Numbers as number.h describes them.

// Null where `value` is not finite.
char* PutAnyDouble(double value, char* out);
char* PutAnyFloat(float value, char* out);

char* PutInt64(std::int64_t value, char* out);
char* PutUInt64(std::uint64_t value, char* out);

// As PutAnyDouble, and fast where the value has at most two decimals and is
// below a million: nothing then depends on how many digits it has.
inline char* PutDouble(double value, char* out) {
  const double scaled = value * 100;
  if (!(scaled >= 0.5 && scaled < 99999999)) return PutAnyDouble(value, out);
  const auto cents = static_cast<std::uint32_t>(scaled + 0.5);
  // Two decimals of so few digits cannot be the same double, so this is it.
  if (cents / 100.0 != value) return PutAnyDouble(value, out);
  const std::uint64_t digits = ToDigits(cents);
  // Six digits of the whole number, of which the last one always stands.
  const int zeros = LeadingZeros(digits | std::uint64_t{1} << 40);
  StoreWord((digits | kEightZeros) >> (8 * zeros), out);
  out += 6 - zeros;
  const std::uint64_t decimals = digits >> 48;
  const auto text = static_cast<std::uint32_t>('.' | (decimals | 0x3030) << 8);
  std::memcpy(out, &text, sizeof(text));
  out += decimals > 0xFF ? 3 : decimals > 0 ? 2 : 0;
  return out;
}

}  // namespace json_internal
}  // namespace tokenusage

#endif  // TOKENUSAGE_JSON_NUMBER_WRITER_H_
