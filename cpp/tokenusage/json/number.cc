#include "tokenusage/json/number.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <system_error>

#include "tokenusage/json/decimal.h"
#include "tokenusage/json/number_writer.h"

namespace tokenusage {
namespace json_internal {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

std::size_t DigitsLength(std::string_view text) {
  std::size_t length = 0;
  while (length < text.size() && IsDigit(text[length])) ++length;
  return length;
}

// A number's parts, as written.
struct Decimal {
  bool negative = false;
  std::string_view integer;
  std::string_view fraction;
  std::int64_t exponent = 0;

  // The i-th digit of integer and fraction together.
  int DigitAt(std::size_t i) const {
    return (i < integer.size() ? integer[i] : fraction[i - integer.size()]) -
           '0';
  }
  std::size_t size() const { return integer.size() + fraction.size(); }
};

// The exponent, kept within bounds beyond which nothing changes however long
// the digits are.
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

// Whether a number other than zero is 1 or more in magnitude.
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
    // Said of what overflows and of what rounds to zero.
    const Decimal decimal = Split(number);
    if (IsAtLeastOne(decimal)) return false;
    parsed = decimal.negative ? -Float{0} : Float{0};
  }
  if (std::isinf(parsed)) return false;
  *value = parsed;
  return true;
}

// The magnitude, where it is an integer that fits.
bool ReadMagnitude(const Decimal& decimal, std::uint64_t* value) {
  std::size_t end = decimal.size();
  while (end > 0 && decimal.DigitAt(end - 1) == 0) --end;
  *value = 0;
  if (end == 0) return true;
  // How many zeros follow the last significant digit.
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

bool ParseDouble(std::string_view number, double* value) {
  const Decimal decimal = Split(number);
  if (decimal.size() > std::numeric_limits<std::uint64_t>::digits10) {
    return ParseFloating(number, value);
  }
  std::uint64_t digits = 0;
  for (std::size_t i = 0; i < decimal.size(); ++i) {
    digits = digits * 10 + static_cast<std::uint64_t>(decimal.DigitAt(i));
  }
  const double magnitude =
      ToDouble(digits, decimal.exponent -
                           static_cast<std::int64_t>(decimal.fraction.size()));
  if (std::isinf(magnitude)) return false;
  *value = decimal.negative ? -magnitude : magnitude;
  return true;
}

bool ParseFloat(std::string_view number, float* value) {
  return ParseFloating(number, value);
}

bool ParseInt64(std::string_view number, std::int64_t* value) {
  const Decimal decimal = Split(number);
  std::uint64_t magnitude = 0;
  if (!ReadMagnitude(decimal, &magnitude)) return false;
  constexpr auto kMax =
      static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (magnitude > kMax + (decimal.negative ? 1 : 0)) return false;
  *value =
      static_cast<std::int64_t>(decimal.negative ? 0 - magnitude : magnitude);
  return true;
}

bool ParseUInt64(std::string_view number, std::uint64_t* value) {
  const Decimal decimal = Split(number);
  std::uint64_t magnitude = 0;
  if (!ReadMagnitude(decimal, &magnitude)) return false;
  if (decimal.negative && magnitude != 0) return false;
  *value = magnitude;
  return true;
}

void AppendDouble(double value, std::string* out) {
  char buffer[kNumberRoom];
  out->append(buffer, PutAnyDouble(value, buffer));
}

void AppendFloat(float value, std::string* out) {
  char buffer[kNumberRoom];
  out->append(buffer, PutAnyFloat(value, buffer));
}

void AppendInt64(std::int64_t value, std::string* out) {
  char buffer[kNumberRoom];
  out->append(buffer, PutInt64(value, buffer));
}

void AppendUInt64(std::uint64_t value, std::string* out) {
  char buffer[kNumberRoom];
  out->append(buffer, PutUInt64(value, buffer));
}

}  // namespace json_internal
}  // namespace tokenusage
