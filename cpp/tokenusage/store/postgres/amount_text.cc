// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/postgres/amount_text.h"

#include <cstddef>

#include "absl/numeric/int128.h"

namespace tokenusage {
namespace {

constexpr std::size_t kDecimals = 9;

// Appends a decimal digit to `value`; returns false if it is not a digit or the
// result would overflow.
bool AppendDigit(char digit, absl::int128* value) {
  if (digit < '0' || digit > '9') return false;
  constexpr absl::int128 kMax = absl::Int128Max();
  const int number = digit - '0';
  if (*value > (kMax - number) / 10) return false;
  *value = *value * 10 + number;
  return true;
}

}  // namespace

std::optional<TokenAmount> AmountFromDecimal(std::string_view decimal) {
  const std::size_t point = decimal.find('.');
  const std::string_view whole = decimal.substr(0, point);
  std::string_view fraction;
  if (point != std::string_view::npos) {
    fraction = decimal.substr(point + 1);
    if (fraction.empty()) return std::nullopt;
  }
  if (whole.empty()) return std::nullopt;
  absl::int128 nanos = 0;
  for (const char digit : whole) {
    if (!AppendDigit(digit, &nanos)) return std::nullopt;
  }
  for (std::size_t i = 0; i < kDecimals; ++i) {
    const char digit = i < fraction.size() ? fraction[i] : '0';
    if (!AppendDigit(digit, &nanos)) return std::nullopt;
  }
  if (fraction.size() > kDecimals &&
      fraction.find_first_not_of('0', kDecimals) != std::string_view::npos) {
    return std::nullopt;
  }
  return TokenAmount::FromNanos(nanos);
}

}  // namespace tokenusage
