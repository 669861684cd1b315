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

// A decimal that lies between two whole numbers, of which `whole`, below 10^8
// and not zero, is the lower.
char* PutFraction(const ShortestDecimal& decimal, std::uint32_t whole,
                  char* out) {
  const std::uint64_t whole_digits = ToDigits(whole);
  const int zeros = LeadingZeros(whole_digits);
  StoreWord((whole_digits | kEightZeros) >> (8 * zeros), out);
  out += 8 - zeros;
  *out++ = '.';
  // Sixteen decimals, whatever their number: zeros at the end do not count.
  const std::uint64_t decimals =
      (decimal.digits - whole * kPowers[-decimal.exponent]) *
      kPowers[16 + decimal.exponent];
  const std::uint64_t high =
      ToDigits(static_cast<std::uint32_t>(decimals / kHundredMillion));
  const std::uint64_t low =
      ToDigits(static_cast<std::uint32_t>(decimals % kHundredMillion));
  StoreWord(high | kEightZeros, out);
  StoreWord(low | kEightZeros, out + 8);
  return low != 0 ? out + 16 - __builtin_clzll(low) / 8
                  : out + 8 - __builtin_clzll(high) / 8;
}

}  // namespace

char* PutAnyDouble(double value, char* out) {
  if (std::signbit(value)) {
    value = -value;
    *out++ = '-';
  }
  if (value == 0) {
    *out++ = '0';
    return out;
  }
  if (!std::isfinite(value)) return nullptr;
  std::int64_t whole = 0;  // signed, as that is faster to convert
  if (value < static_cast<double>(kMaxExactInteger)) {
    whole = static_cast<std::int64_t>(value);
    if (static_cast<double>(whole) == value) {
      return PutUInt64(static_cast<std::uint64_t>(whole), out);
    }
  }
  const ShortestDecimal decimal = ToShortestDecimal(value);
  // Its shortest decimal is on the same side of whole numbers as the value:
  // those are doubles themselves.
  if (whole != 0 && whole < kHundredMillion && decimal.exponent >= -16) {
    return PutFraction(decimal, static_cast<std::uint32_t>(whole), out);
  }
  const DigitText digits(decimal.digits);
  return PutDecimal(
      digits, digits.count + digits.dropped_zeros + decimal.exponent, out);
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
