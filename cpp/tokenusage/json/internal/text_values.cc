// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/json/internal/text_values.h"

#include <cstddef>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "tokenusage/base/string_view.h"

namespace tokenusage {
namespace json_internal {
namespace {

constexpr std::int64_t kMinSeconds = -62135596800;  // 0001-01-01T00:00:00Z
constexpr std::int64_t kMaxSeconds = 253402300799;  // 9999-12-31T23:59:59Z
constexpr std::int32_t kNanosPerSecond = 1'000'000'000;

int Base64Value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+' || c == '-') return 62;
  if (c == '/' || c == '_') return 63;
  return -1;
}

// Takes `digits` decimal digits off the front of `text`.
bool TakeNumber(std::size_t digits, std::string_view* text, int* value) {
  if (text->size() < digits) return false;
  *value = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    const char c = (*text)[i];
    if (c < '0' || c > '9') return false;
    *value = *value * 10 + (c - '0');
  }
  text->remove_prefix(digits);
  return true;
}

bool TakeChar(char c, std::string_view* text) {
  if (text->empty() || text->front() != c) return false;
  text->remove_prefix(1);
  return true;
}

// Takes YYYY-MM-DDTHH:MM:SS, as if in UTC.
bool TakeCivilSecond(std::string_view* text, std::int64_t* seconds) {
  int year, month, day, hour, minute, second;
  if (!TakeNumber(4, text, &year) || !TakeChar('-', text) ||
      !TakeNumber(2, text, &month) || !TakeChar('-', text) ||
      !TakeNumber(2, text, &day) || !TakeChar('T', text) ||
      !TakeNumber(2, text, &hour) || !TakeChar(':', text) ||
      !TakeNumber(2, text, &minute) || !TakeChar(':', text) ||
      !TakeNumber(2, text, &second)) {
    return false;
  }
  const absl::CivilSecond civil(year, month, day, hour, minute, second);
  // A part out of range would have been carried into the next.
  if (civil.month() != month || civil.day() != day || civil.hour() != hour ||
      civil.minute() != minute || civil.second() != second) {
    return false;
  }
  *seconds = civil - absl::CivilSecond(1970);
  return true;
}

// Takes one to nine decimals.
bool TakeFraction(std::string_view* text, std::int32_t* nanos) {
  std::int32_t unit = kNanosPerSecond;
  int digit;
  *nanos = 0;
  while (unit > 1 && TakeNumber(1, text, &digit)) {
    unit /= 10;
    *nanos += digit * unit;
  }
  return unit < kNanosPerSecond;
}

bool TakeOffset(std::string_view* text, std::int64_t* seconds) {
  *seconds = 0;
  if (TakeChar('Z', text)) return true;
  const bool west = !text->empty() && text->front() == '-';
  int hour, minute;
  if (!TakeChar(west ? '-' : '+', text) || !TakeNumber(2, text, &hour) ||
      !TakeChar(':', text) || !TakeNumber(2, text, &minute) || hour > 23 ||
      minute > 59) {
    return false;
  }
  const std::int64_t minutes = std::int64_t{60} * hour + minute;
  *seconds = (west ? -60 : 60) * minutes;
  return true;
}

}  // namespace

bool ParseBase64(std::string_view text, std::string* bytes) {
  if (text.size() % 4 == 0) {
    for (int i = 0; i < 2 && !text.empty() && text.back() == '='; ++i) {
      text.remove_suffix(1);
    }
  }
  if (text.size() % 4 == 1) return false;
  bytes->clear();
  bytes->reserve(text.size() / 4 * 3 + 2);
  unsigned int pending = 0;
  int pending_bits = 0;
  for (const char c : text) {
    const int value = Base64Value(c);
    if (value < 0) return false;
    pending = (pending << 6) | static_cast<unsigned int>(value);
    pending_bits += 6;
    if (pending_bits >= 8) {
      pending_bits -= 8;
      bytes->push_back(static_cast<char>(pending >> pending_bits));
      pending &= (1U << pending_bits) - 1;
    }
  }
  return pending == 0;
}

void AppendBase64(std::string_view bytes, std::string* out) {
  *out += absl::Base64Escape(ToAbsl(bytes));
}

bool ParseRfc3339(std::string_view text, UnixTime* time) {
  std::int64_t local = 0, offset = 0;
  std::int32_t nanos = 0;
  if (!TakeCivilSecond(&text, &local)) return false;
  if (TakeChar('.', &text) && !TakeFraction(&text, &nanos)) return false;
  if (!TakeOffset(&text, &offset) || !text.empty()) return false;
  const std::int64_t seconds = local - offset;
  if (seconds < kMinSeconds || seconds > kMaxSeconds) return false;
  *time = {seconds, nanos};
  return true;
}

bool AppendRfc3339(const UnixTime& time, std::string* out) {
  if (time.seconds < kMinSeconds || time.seconds > kMaxSeconds ||
      time.nanos < 0 || time.nanos >= kNanosPerSecond) {
    return false;
  }
  const absl::CivilSecond civil = absl::CivilSecond(1970) + time.seconds;
  const auto two = [](int n) { return absl::Dec(n, absl::kZeroPad2); };
  absl::StrAppend(out, absl::Dec(civil.year(), absl::kZeroPad4), "-",
                  two(civil.month()), "-", two(civil.day()));
  absl::StrAppend(out, "T", two(civil.hour()), ":", two(civil.minute()), ":",
                  two(civil.second()));
  if (time.nanos % 1'000 != 0) {
    absl::StrAppend(out, ".", absl::Dec(time.nanos, absl::kZeroPad9));
  } else if (time.nanos % 1'000'000 != 0) {
    absl::StrAppend(out, ".", absl::Dec(time.nanos / 1'000, absl::kZeroPad6));
  } else if (time.nanos != 0) {
    absl::StrAppend(out, ".",
                    absl::Dec(time.nanos / 1'000'000, absl::kZeroPad3));
  }
  out->push_back('Z');
  return true;
}

}  // namespace json_internal
}  // namespace tokenusage
