// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/usage/amount_from_decimal.h"

#include "absl/numeric/int128.h"

namespace tokenusage {
namespace {

constexpr std::size_t kDecimals = 12;

// Appends a digit to the number. Returns whether it was one, and fits.
bool AppendDigit(char digit, absl::int128* number) {
  if (digit < '0' || digit > '9') return false;
  const int value = digit - '0';
  if (*number > (absl::Int128Max() - value) / 10) return false;
  *number = *number * 10 + value;
  return true;
}

}  // namespace

std::optional<Amount> AmountFromDecimal(std::string_view decimal) {
  const std::size_t point = decimal.find('.');
  const std::string_view whole = decimal.substr(0, point);
  std::string_view fraction = point == std::string_view::npos
                                  ? std::string_view()
                                  : decimal.substr(point + 1);
  while (fraction.size() > kDecimals && fraction.back() == '0') {
    fraction.remove_suffix(1);
  }
  const bool has_point = point != std::string_view::npos;
  if (whole.empty() || has_point == fraction.empty() ||
      fraction.size() > kDecimals) {
    return std::nullopt;
  }
  absl::int128 picos = 0;
  for (const char digit : whole) {
    if (!AppendDigit(digit, &picos)) return std::nullopt;
  }
  for (std::size_t i = 0; i < kDecimals; ++i) {
    const char digit = i < fraction.size() ? fraction[i] : '0';
    if (!AppendDigit(digit, &picos)) return std::nullopt;
  }
  return Amount::FromPicos(picos);
}

}  // namespace tokenusage
