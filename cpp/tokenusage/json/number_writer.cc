#include "tokenusage/json/number_writer.h"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "tokenusage/json/decimal.h"

namespace tokenusage {
namespace json_internal {
namespace {

constexpr std::uint32_t kHundredMillion = 100'000'000;

constexpr std::uint64_t kPowers[] = {1,
                                     10,
                                     100,
                                     1000,
                                     10000,
                                     100000,
                                     1000000,
                                     10000000,
                                     100000000,
                                     1000000000,
                                     10000000000,
                                     100000000000,
                                     1000000000000,
                                     10000000000000,
                                     100000000000000,
                                     1000000000000000,
                                     10000000000000000};

// The digits of a number below 10^17, other than zero, without those zeros at
// its end.
struct DigitText {
  explicit DigitText(std::uint64_t number) {
    while (number % 10 == 0) {
      number /= 10;
      ++dropped_zeros;
    }
    const auto low = static_cast<std::uint32_t>(number % kHundredMillion);
    number /= kHundredMillion;
    const auto middle = static_cast<std::uint32_t>(number % kHundredMillion);
    const auto high = static_cast<std::uint32_t>(number / kHundredMillion);
    const std::uint64_t middle_digits = ToDigits(middle);
    const std::uint64_t low_digits = ToDigits(low);
    buffer[0] = static_cast<char>('0' + high);
    StoreWord(middle_digits | kEightZeros, buffer + 1);
    StoreWord(low_digits | kEightZeros, buffer + 9);
    const int zeros = high != 0     ? 0
                      : middle != 0 ? 1 + LeadingZeros(middle_digits)
                                    : 9 + LeadingZeros(low_digits);
    begin = buffer + zeros;
    count = 17 - zeros;
  }

  // Copies the digits from number `from` on, and bytes that mean nothing.
  void CopyTo(char* out, int from = 0) const {
    std::memcpy(out, begin + from, 17);
  }

  char buffer[17 + 17] = {};
  const char* begin;
  int count;
  int dropped_zeros = 0;
};

char* PutExponent(int exponent, char* out) {
  *out++ = 'e';
  *out++ = exponent < 0 ? '-' : '+';
  return std::to_chars(out, out + 4, std::abs(exponent)).ptr;
}

// 0.DIGITS * 10^point, laid out as ECMAScript's Number::toString does.
char* PutDecimal(const DigitText& digits, int point, char* out) {
  if (point > 21 || point < -5) {
    digits.CopyTo(out + 1, 1);
    out[0] = digits.begin[0];
    if (digits.count > 1) {
      digits.CopyTo(out + 2, 1);
      out[1] = '.';
    }
    return PutExponent(point - 1,
                       out + (digits.count > 1 ? digits.count + 1 : 1));
  }
  if (point <= 0) {
    std::memcpy(out, "0.000000", 8);
    digits.CopyTo(out + 2 - point);
    return out + 2 - point + digits.count;
  }
  digits.CopyTo(out);
  if (point < digits.count) {
    digits.CopyTo(out + point + 1, point);
    out[point] = '.';
    return out + digits.count + 1;
  }
  std::memset(out + digits.count, '0', 21);
  return out + point;
}

// For doubles that are `significand` / 2^bits, which lie 1 / 2^bits apart: the
// most decimals that leave a step larger than that, as a power of ten, and what
// is left to 10^15.
struct Step {
  std::uint64_t power;
  std::uint64_t rest;
};

struct Steps {
  constexpr Steps() : by_bits() {
    for (int bits = 0; bits <= kFractionBits; ++bits) {
      // bits * log10(2), rounded down.
      const int decimals = (bits * 1262611) >> 22;
      by_bits[bits] = {kPowers[decimals], kPowers[15 - decimals]};
    }
  }

  static constexpr int kFractionBits = 52;
  Step by_bits[kFractionBits + 1];
};
constexpr Steps kSteps;

// Sixteen decimals of the shortest decimal of significand / 2^bits, which lies
// between two whole numbers from 1 to 10^8. It lies between the same two, as
// they are doubles themselves; and all of this is exact, as powers are small.
std::uint64_t ShortestDecimals(std::uint64_t significand, int bits) {
  // The part behind the point in steps, and what is left of a step.
  __extension__ typedef unsigned __int128 Wide;
  const std::uint64_t one = std::uint64_t{1} << bits;
  const Step& step = kSteps.by_bits[bits];
  const Wide product = Wide{significand & (one - 1)} * step.power;
  const auto steps = static_cast<std::uint64_t>(product >> bits);
  const std::uint64_t left = static_cast<std::uint64_t>(product) & (one - 1);

  // Whether one of the two next multiples of a step reads back to the value: so
  // does one half way to another double, where the significand is even.
  const std::uint64_t half_gap = step.power / 2;
  const std::uint64_t odd = significand & 1;
  const bool down = left + odd <= half_gap;
  const bool up = left + half_gap >= one + odd;
  // Otherwise the nearest multiple of a tenth of a step does.
  const std::uint64_t tenth = left * 10 >> bits;
  const bool above_half = (left * 10 & (one - 1)) + (tenth & 1) > one / 2;
  const std::uint64_t longer = 10 * steps + tenth + above_half;
  const std::uint64_t shorter = 10 * (steps + up);
  // By bits, not by a branch: it could not be predicted.
  const std::uint64_t is_shorter = 0 - static_cast<std::uint64_t>(down | up);
  return (longer ^ ((longer ^ shorter) & is_shorter)) * step.rest;
}

// A value from 1 to 10^8 that is not whole.
char* PutMixed(double value, char* out) {
  std::uint64_t value_bits;
  std::memcpy(&value_bits, &value, sizeof(value_bits));
  constexpr int kBits = Steps::kFractionBits;
  constexpr std::uint64_t kImplicitBit = std::uint64_t{1} << kBits;
  const std::uint64_t significand =
      (value_bits & (kImplicitBit - 1)) | kImplicitBit;
  const int bits = 1023 + kBits - static_cast<int>(value_bits >> kBits);
  const std::uint64_t decimals = ShortestDecimals(significand, bits);

  const std::uint64_t whole =
      ToDigits(static_cast<std::uint32_t>(significand >> bits));
  const int zeros = LeadingZeros(whole);
  StoreWord((whole | kEightZeros) >> (8 * zeros), out);
  out += 8 - zeros;
  *out++ = '.';
  const std::uint64_t high =
      ToDigits(static_cast<std::uint32_t>(decimals / kHundredMillion));
  const std::uint64_t low =
      ToDigits(static_cast<std::uint32_t>(decimals % kHundredMillion));
  StoreWord(high | kEightZeros, out);
  StoreWord(low | kEightZeros, out + 8);
  return low != 0 ? out + 16 - __builtin_clzll(low) / 8
                  : out + 8 - __builtin_clzll(high) / 8;
}

// One that is negative, zero, below 1, very large or not finite.
char* PutRareDouble(double value, char* out) {
  if (std::signbit(value)) {
    value = -value;
    *out++ = '-';
  }
  if (value == 0) {
    *out++ = '0';
    return out;
  }
  if (!std::isfinite(value)) return nullptr;
  if (value < static_cast<double>(kMaxExactInteger)) {
    const auto whole = static_cast<std::uint64_t>(value);
    if (static_cast<double>(whole) == value) return PutUInt64(whole, out);
  }
  const ShortestDecimal decimal = ToShortestDecimal(value);
  const DigitText digits(decimal.digits);
  return PutDecimal(
      digits, digits.count + digits.dropped_zeros + decimal.exponent, out);
}

}  // namespace

char* PutAnyDouble(double value, char* out) {
  if (value >= 1 && value < kHundredMillion) {
    // Signed, as that is faster to convert.
    const auto whole = static_cast<std::int64_t>(value);
    if (static_cast<double>(whole) != value) return PutMixed(value, out);
    return PutUInt64(static_cast<std::uint64_t>(whole), out);
  }
  return PutRareDouble(value, out);
}

char* PutAnyFloat(float value, char* out) {
  if (std::signbit(value)) {
    value = -value;
    *out++ = '-';
  }
  if (value == 0) {
    *out++ = '0';
    return out;
  }
  if (!std::isfinite(value)) return nullptr;
  // Scientific notation gives the shortest digits for every magnitude; the
  // plain form would print large integers in full.
  char buffer[32];
  const char* const end = std::to_chars(buffer, buffer + sizeof(buffer), value,
                                        std::chars_format::scientific)
                              .ptr;
  std::uint64_t number = 0;
  const char* p = buffer;
  for (; *p != 'e'; ++p) {
    if (*p != '.') number = number * 10 + static_cast<unsigned>(*p - '0');
  }
  int exponent = 0;
  std::from_chars(p[1] == '+' ? p + 2 : p + 1, end, exponent);
  return PutDecimal(DigitText(number), exponent + 1, out);
}

char* PutUInt64(std::uint64_t value, char* out) {
  const bool quoted = value > kMaxExactInteger;
  if (quoted) *out++ = '"';
  out = std::to_chars(out, out + 20, value).ptr;
  if (quoted) *out++ = '"';
  return out;
}

char* PutInt64(std::int64_t value, char* out) {
  if (value >= 0) return PutUInt64(static_cast<std::uint64_t>(value), out);
  const std::uint64_t magnitude = 0 - static_cast<std::uint64_t>(value);
  const bool quoted = magnitude > kMaxExactInteger;
  if (quoted) *out++ = '"';
  *out++ = '-';
  out = std::to_chars(out, out + 20, magnitude).ptr;
  if (quoted) *out++ = '"';
  return out;
}

}  // namespace json_internal
}  // namespace tokenusage
