// SPDX-License-Identifier: Apache-2.0

#include "tests/json/fuzz/reference_values.h"

#include <clocale>
#include <cmath>
#include <cstddef>
#include <cstdlib>

#include "absl/numeric/int128.h"

namespace tokenusage {
namespace testing {
namespace {

locale_t CLocale() {
  static const locale_t locale = newlocale(LC_ALL_MASK, "C", nullptr);
  return locale;
}

std::string WithoutLeadingZeros(const std::string& digits) {
  const std::size_t first = digits.find_first_not_of('0');
  return first == std::string::npos ? "" : digits.substr(first);
}

// The number digits * 10^exponent, with its sign.
struct Decimal {
  bool negative = false;
  std::string digits;  // without zeros at either end; empty for zero
  long long exponent = 0;
};

// Returns the number. Limits a stated exponent to +-10^15: no document has
// enough digits to offset a larger one.
Decimal ReadDecimal(const std::string& number) {
  constexpr long long kMaxExponent = 1000000000000000;
  Decimal decimal;
  std::size_t at = 0;
  if (number[at] == '-') {
    decimal.negative = true;
    ++at;
  }
  bool in_fraction = false;
  for (; at < number.size() && number[at] != 'e' && number[at] != 'E'; ++at) {
    if (number[at] == '.') {
      in_fraction = true;
      continue;
    }
    decimal.digits += number[at];
    if (in_fraction) --decimal.exponent;
  }
  if (at < number.size()) {
    ++at;
    const bool down = number[at] == '-';
    if (number[at] == '-' || number[at] == '+') ++at;
    const std::string digits = WithoutLeadingZeros(number.substr(at));
    const long long exponent = digits.size() > 15 ? kMaxExponent
                               : digits.empty()   ? 0
                                                  : std::stoll(digits);
    decimal.exponent += down ? -exponent : exponent;
  }
  decimal.digits = WithoutLeadingZeros(decimal.digits);
  while (!decimal.digits.empty() && decimal.digits.back() == '0') {
    decimal.digits.pop_back();
    ++decimal.exponent;
  }
  return decimal;
}

bool IsLeapYear(int year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

// Returns the value of a base64 letter, or -1 if `c` is of neither alphabet.
int Base64Value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+' || c == '-') return 62;
  if (c == '/' || c == '_') return 63;
  return -1;
}

// Takes text from its front, piece by piece.
class TextReader {
 public:
  explicit TextReader(const std::string& text) : text_(text) {}

  bool Take(char c) {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  // Takes exactly `count` digits, of a value from `min` to `max`.
  bool TakeNumber(int count, int min, int max, int* value) {
    *value = 0;
    for (int i = 0; i < count; ++i) {
      if (!AtDigit()) return false;
      *value = *value * 10 + (text_[at_++] - '0');
    }
    return *value >= min && *value <= max;
  }

  bool AtDigit() const {
    return at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9';
  }

  bool AtEnd() const { return at_ == text_.size(); }

 private:
  const std::string& text_;
  std::size_t at_ = 0;
};

// Takes one to nine decimals of a second.
bool TakeNanos(TextReader* reader, std::int32_t* nanos) {
  if (!reader->AtDigit()) return false;
  *nanos = 0;
  for (int i = 0; i < 9; ++i) {
    int digit = 0;
    if (reader->AtDigit()) reader->TakeNumber(1, 0, 9, &digit);
    *nanos = *nanos * 10 + digit;
  }
  return !reader->AtDigit();
}

// Takes the offset from UTC: Z, or hours and minutes. Sets `*minutes` to how
// far the time is ahead of UTC.
bool TakeOffset(TextReader* reader, int* minutes) {
  *minutes = 0;
  if (reader->Take('Z')) return true;
  const bool ahead = reader->Take('+');
  if (!ahead && !reader->Take('-')) return false;
  int hour = 0;
  int minute = 0;
  if (!reader->TakeNumber(2, 0, 23, &hour) || !reader->Take(':') ||
      !reader->TakeNumber(2, 0, 59, &minute)) {
    return false;
  }
  *minutes = (ahead ? 1 : -1) * (hour * 60 + minute);
  return true;
}

}  // namespace

std::optional<double> ToDouble(const std::string& number) {
  const double value = strtod_l(number.c_str(), nullptr, CLocale());
  if (!std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<float> ToFloat(const std::string& number) {
  const float value = strtof_l(number.c_str(), nullptr, CLocale());
  if (!std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<WholeNumber> ToWholeNumber(const std::string& number) {
  const Decimal decimal = ReadDecimal(number);
  if (decimal.digits.empty()) return WholeNumber();
  if (decimal.exponent < 0) return std::nullopt;  // digits do not end in 0
  const auto length = static_cast<long long>(decimal.digits.size());
  if (length + decimal.exponent > 20) return std::nullopt;
  absl::uint128 magnitude = 0;
  for (const char digit : decimal.digits) {
    magnitude = magnitude * 10 + static_cast<unsigned int>(digit - '0');
  }
  for (long long i = 0; i < decimal.exponent; ++i) magnitude *= 10;
  if (absl::Uint128High64(magnitude) != 0) return std::nullopt;
  return WholeNumber{decimal.negative, absl::Uint128Low64(magnitude)};
}

std::optional<std::string> FromBase64(const std::string& text) {
  std::string letters = text;
  while (!letters.empty() && letters.back() == '=') letters.pop_back();
  if (letters.size() != text.size() &&
      (text.size() % 4 != 0 || text.size() - letters.size() > 2)) {
    return std::nullopt;
  }
  if (letters.size() % 4 == 1) return std::nullopt;
  std::string bytes;
  unsigned int bits = 0;
  int count = 0;
  for (const char letter : letters) {
    const int value = Base64Value(letter);
    if (value < 0) return std::nullopt;
    bits = bits * 64 + static_cast<unsigned int>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes.push_back(static_cast<char>(bits >> count));
    bits &= (1U << count) - 1;
  }
  if (bits != 0) return std::nullopt;
  return bytes;
}

std::int64_t DaysToYear(int year) {
  std::int64_t days = 0;
  for (int y = 1970; y < year; ++y) days += DaysInYear(y);
  for (int y = year; y < 1970; ++y) days -= DaysInYear(y);
  return days;
}

int DaysInYear(int year) { return IsLeapYear(year) ? 366 : 365; }

int DaysInMonth(int year, int month) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return kDays[month - 1] + (month == 2 && IsLeapYear(year) ? 1 : 0);
}

std::optional<UnixTime> FromRfc3339(const std::string& text) {
  TextReader reader(text);
  int year, month, day, hour, minute, second, offset_minutes;
  UnixTime time;
  if (!reader.TakeNumber(4, 1, 9999, &year) || !reader.Take('-') ||
      !reader.TakeNumber(2, 1, 12, &month) || !reader.Take('-') ||
      !reader.TakeNumber(2, 1, DaysInMonth(year, month), &day) ||
      !reader.Take('T') || !reader.TakeNumber(2, 0, 23, &hour) ||
      !reader.Take(':') || !reader.TakeNumber(2, 0, 59, &minute) ||
      !reader.Take(':') || !reader.TakeNumber(2, 0, 59, &second)) {
    return std::nullopt;
  }
  if (reader.Take('.') && !TakeNanos(&reader, &time.nanos)) {
    return std::nullopt;
  }
  if (!TakeOffset(&reader, &offset_minutes) || !reader.AtEnd()) {
    return std::nullopt;
  }
  std::int64_t days = DaysToYear(year) + day - 1;
  for (int m = 1; m < month; ++m) days += DaysInMonth(year, m);
  time.seconds =
      ((days * 24 + hour) * 60 + minute - offset_minutes) * 60 + second;
  if (time.seconds < DaysToYear(1) * 86400 ||
      time.seconds >= DaysToYear(10000) * 86400) {
    return std::nullopt;
  }
  return time;
}

}  // namespace testing
}  // namespace tokenusage
