// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/json/internal/number.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <system_error>

namespace tokenusage {
namespace json_internal {
namespace {

__extension__ typedef unsigned __int128 Wide;

// The number of digits that always fit in 64 bits, and the exponent of the
// largest power of ten that does.
constexpr std::uint32_t kMaxDigits = 19;

struct Powers {
  constexpr Powers() : of_ten() {
    std::uint64_t power = 1;
    for (std::uint64_t& entry : of_ten) {
      entry = power;
      power *= 10;
    }
  }
  std::uint64_t of_ten[kMaxDigits + 1];
};
constexpr Powers kPowers;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

std::size_t DigitsLength(std::string_view text) {
  std::size_t length = 0;
  while (length < text.size() && IsDigit(text[length])) ++length;
  return length;
}

// The parts of a number as it is written.
struct Decimal {
  bool negative = false;
  std::string_view integer;
  std::string_view fraction;
  std::int64_t exponent = 0;

  // Returns the i-th digit of integer and fraction together.
  int DigitAt(std::size_t i) const {
    return (i < integer.size() ? integer[i] : fraction[i - integer.size()]) -
           '0';
  }
  std::size_t size() const { return integer.size() + fraction.size(); }
};

// Reads an exponent, clamped to a bound that no document has enough digits to
// make up for.
std::int64_t ReadExponent(std::string_view text) {
  constexpr std::int64_t kBound = 100'000'000'000'000'000;
  const bool negative = text[0] == '-';
  if (negative || text[0] == '+') text.remove_prefix(1);
  std::int64_t value = 0;
  for (char c : text) value = std::min(value * 10 + (c - '0'), kBound);
  return negative ? -value : value;
}

Decimal Split(std::string_view number) {
  Decimal decimal;
  decimal.negative = number[0] == '-';
  if (decimal.negative) number.remove_prefix(1);
  const std::size_t integer = DigitsLength(number);
  decimal.integer = number.substr(0, integer);
  number.remove_prefix(integer);
  if (!number.empty() && number[0] == '.') {
    number.remove_prefix(1);
    const std::size_t fraction = DigitsLength(number);
    decimal.fraction = number.substr(0, fraction);
    number.remove_prefix(fraction);
  }
  if (!number.empty()) decimal.exponent = ReadExponent(number.substr(1));
  return decimal;
}

// Returns whether a number other than zero is 1 or more in magnitude.
bool IsAtLeastOne(const Decimal& decimal) {
  std::size_t first = 0;
  while (decimal.DigitAt(first) == 0) ++first;
  return static_cast<std::int64_t>(decimal.integer.size()) -
             static_cast<std::int64_t>(first) + decimal.exponent >
         0;
}

template <typename Float>
bool ParseFloating(std::string_view number, Float* value) {
  Float parsed = 0;
  const std::from_chars_result result =
      std::from_chars(number.data(), number.data() + number.size(), parsed);
  if (result.ec == std::errc::result_out_of_range) {
    // std::from_chars reports overflow and underflow alike.
    const Decimal decimal = Split(number);
    if (IsAtLeastOne(decimal)) return false;
    parsed = decimal.negative ? -Float{0} : Float{0};
  }
  if (std::isinf(parsed)) return false;
  *value = parsed;
  return true;
}

// Computes the magnitude; returns false if it is not an integer that fits.
bool ReadMagnitude(const Decimal& decimal, std::uint64_t* value) {
  std::size_t end = decimal.size();
  while (end > 0 && decimal.DigitAt(end - 1) == 0) --end;
  *value = 0;
  if (end == 0) return true;
  // The number of zeros that follow the last significant digit.
  const std::int64_t zeros = static_cast<std::int64_t>(decimal.integer.size()) -
                             static_cast<std::int64_t>(end) + decimal.exponent;
  if (zeros < 0 || zeros > std::numeric_limits<std::uint64_t>::digits10) {
    return false;
  }
  for (std::size_t i = 0; i < end + static_cast<std::size_t>(zeros); ++i) {
    const auto digit =
        static_cast<std::uint64_t>(i < end ? decimal.DigitAt(i) : 0);
    if (__builtin_mul_overflow(*value, std::uint64_t{10}, value) ||
        __builtin_add_overflow(*value, digit, value)) {
      return false;
    }
  }
  return true;
}

template <typename Integer>
bool ParseInteger(std::string_view number, Integer* value) {
  const Decimal decimal = Split(number);
  std::uint64_t magnitude = 0;
  if (!ReadMagnitude(decimal, &magnitude)) return false;
  constexpr std::uint64_t kMax = std::numeric_limits<Integer>::max();
  constexpr bool kSigned = std::numeric_limits<Integer>::is_signed;
  if (!decimal.negative || magnitude == 0) {
    *value = static_cast<Integer>(magnitude);
    return magnitude <= kMax;
  }
  *value = static_cast<Integer>(0 - magnitude);
  return kSigned && magnitude <= kMax + 1;
}

// Returns digits / 10^decimals, correctly rounded.
double Divide(std::uint64_t digits, std::uint32_t decimals) {
  constexpr int kMantissaBits = 53;
  const auto divisor = kPowers.of_ten[decimals];
  if (digits >> kMantissaBits == 0 && divisor >> kMantissaBits == 0) {
    return static_cast<double>(digits) / static_cast<double>(divisor);
  }
  // With the topmost bits of both set, the quotient has 63 or 64 bits, which
  // the conversion to double rounds. The remainder matters only if it breaks a
  // tie, so one bit for it is enough.
  const int digits_shift = __builtin_clzll(digits);
  const int divisor_shift = __builtin_clzll(divisor);
  const Wide dividend = Wide{digits << digits_shift} << 63;
  const std::uint64_t scaled = divisor << divisor_shift;
  const auto quotient = static_cast<std::uint64_t>(dividend / scaled);
  const bool rest = static_cast<std::uint64_t>(dividend) != quotient * scaled;
  const std::uint64_t power =
      static_cast<std::uint64_t>(1023 + divisor_shift - digits_shift - 63)
      << (kMantissaBits - 1);
  double factor;
  std::memcpy(&factor, &power, sizeof(factor));
  return static_cast<double>(quotient | rest) * factor;
}

// Returns the number that the first `count` of eight digits' values make.
std::uint64_t FirstDigits(std::uint64_t values, std::uint32_t count) {
  // Two shifts, since one by 64 is undefined.
  return FromDigits(values << (32 - 4 * count) << (32 - 4 * count));
}

// Returns how many of eight characters' values are digits, from the first one
// up to one that is not.
std::uint32_t CountDigits(std::uint64_t values) {
  const std::uint64_t others = NotDigits(values);
  if (others == 0) return 8;
  return static_cast<std::uint32_t>(__builtin_ctzll(others)) / 8;
}

// Takes at most eight digits, and at most 16 after a point, 19 in all, without
// sign and exponent; returns null for anything else. Reads fewer than
// kNumberWindow bytes.
const char* TakePlainDouble(const char* p, double* value) {
  const std::uint64_t before = LoadWord(p) ^ kEightZeros;
  const std::uint32_t whole = CountDigits(before);
  if (whole == 0 || (*p == '0' && whole != 1)) return nullptr;
  std::uint64_t digits = FirstDigits(before, whole);
  p += whole;
  std::uint32_t decimals = 0;
  if (*p == '.') {
    ++p;
    const std::uint64_t first = LoadWord(p) ^ kEightZeros;
    decimals = CountDigits(first);
    if (decimals == 0) return nullptr;
    if (decimals < 8) {
      digits = digits * kPowers.of_ten[decimals] + FirstDigits(first, decimals);
    } else {
      const std::uint64_t second = LoadWord(p + 8) ^ kEightZeros;
      const std::uint32_t rest = CountDigits(second);
      decimals += rest;
      if (whole + decimals > kMaxDigits) return nullptr;
      digits = digits * kPowers.of_ten[decimals] +
               FromDigits(first) * kPowers.of_ten[rest] +
               FirstDigits(second, rest);
    }
    p += decimals;
  }
  if (IsDigit(*p) || IsExponent(*p)) return nullptr;
  *value = digits == 0 ? 0 : Divide(digits, decimals);
  return p;
}

}  // namespace

NumberSpan ScanNumber(std::string_view text) {
  NumberSpan span;
  std::size_t& at = span.length;
  const auto next_is = [&](char c) {
    return at < text.size() && text[at] == c;
  };
  const auto skip_digits = [&] {
    const std::size_t digits = DigitsLength(text.substr(at));
    at += digits;
    return digits > 0;
  };

  if (next_is('-')) ++at;
  if (next_is('0')) {
    ++at;
  } else if (!skip_digits()) {
    return span;
  }
  if (next_is('.')) {
    ++at;
    if (!skip_digits()) return span;
  }
  if (next_is('e') || next_is('E')) {
    ++at;
    if (next_is('+') || next_is('-')) ++at;
    if (!skip_digits()) return span;
  }
  span.valid = true;
  return span;
}

bool IsNumber(std::string_view text) {
  const NumberSpan span = ScanNumber(text);
  return span.valid && span.length == text.size();
}

bool ParseNumber(std::string_view number, double* value) {
  return ParseFloating(number, value);
}
bool ParseNumber(std::string_view number, float* value) {
  return ParseFloating(number, value);
}
bool ParseNumber(std::string_view number, std::int32_t* value) {
  return ParseInteger(number, value);
}
bool ParseNumber(std::string_view number, std::int64_t* value) {
  return ParseInteger(number, value);
}
bool ParseNumber(std::string_view number, std::uint32_t* value) {
  return ParseInteger(number, value);
}
bool ParseNumber(std::string_view number, std::uint64_t* value) {
  return ParseInteger(number, value);
}

const char* TakeLongDouble(const char* p, const char* end, double* value) {
  const bool negative = *p == '-';
  const char* const after = TakePlainDouble(p + negative, value);
  if (after != nullptr) {
    if (negative) *value = -*value;
    return after;
  }
  const std::string_view text(p, static_cast<std::size_t>(end - p));
  const NumberSpan span = ScanNumber(text);
  if (!span.valid || !ParseNumber(text.substr(0, span.length), value)) {
    return nullptr;
  }
  return p + span.length;
}

}  // namespace json_internal
}  // namespace tokenusage
