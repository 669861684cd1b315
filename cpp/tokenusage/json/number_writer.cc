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

// The digits of a number below 10^17.
struct DigitText {
  explicit DigitText(std::uint64_t number) {
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
                                    : 9 + LeadingZeros(low_digits | kLastDigit);
    begin = buffer + zeros;
    count = 17 - zeros;
  }

  // Copies the digits from number `from` on, and bytes that mean nothing.
  void CopyTo(char* out, int from = 0) const {
    std::memcpy(out, begin + from, 17);
  }

  static constexpr std::uint64_t kLastDigit = std::uint64_t{1} << 56;
  char buffer[17 + 17] = {};
  const char* begin;
  int count;
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
  if (value < static_cast<double>(kMaxExactInteger)) {
    const auto whole = static_cast<std::uint64_t>(value);
    if (static_cast<double>(whole) == value) return PutUInt64(whole, out);
  }
  const ShortestDecimal decimal = ToShortestDecimal(value);
  const DigitText digits(decimal.digits);
  return PutDecimal(digits, digits.count + decimal.exponent, out);
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
