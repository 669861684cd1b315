// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/usage/amount.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "absl/numeric/int128.h"

namespace tokenusage {
namespace {

constexpr int kDecimals = 12;
constexpr std::uint64_t kPicosPerUnit = 1'000'000'000'000;

// Returns the picos of the shortest decimal that reads back to `count`, if that
// decimal is a multiple of 1 / parts_per_unit.
//
// Decimals of at most 15 significant digits read as distinct doubles. So if
// parts / parts_per_unit with fewer than 10^15 parts reads as `count`, it is
// the shortest decimal that does: any as short or shorter has at most 15
// digits, too.
std::optional<absl::int128> PicosOfParts(double count,
                                         std::int64_t parts_per_unit) {
  const auto scale = static_cast<double>(parts_per_unit);
  if (count * scale >= 1e15) return std::nullopt;
  const auto parts = static_cast<std::int64_t>(count * scale + 0.5);
  if (static_cast<double>(parts) / scale != count) return std::nullopt;
  return absl::int128(parts) *
         (static_cast<std::int64_t>(kPicosPerUnit) / parts_per_unit);
}

std::uint64_t PowerOfTen(int exponent) {
  std::uint64_t power = 1;
  for (; exponent > 0; --exponent) power *= 10;
  return power;
}

std::uint64_t DivideHalfEven(std::uint64_t value, std::uint64_t divisor) {
  const std::uint64_t quotient = value / divisor;
  const std::uint64_t twice_rest = 2 * (value % divisor);
  const bool up =
      twice_rest > divisor || (twice_rest == divisor && quotient % 2 == 1);
  return quotient + (up ? 1 : 0);
}

// Converts the digits that std::to_chars finds.
absl::int128 PicosOfShortestDecimal(double count) {
  char text[32];
  const std::to_chars_result written = std::to_chars(
      text, text + sizeof(text), count, std::chars_format::scientific);
  const char* at = text;
  std::uint64_t digits = 0;  // at most 17 of them
  int exponent = kDecimals;  // the picos are digits * 10^exponent
  bool in_fraction = false;
  for (; *at != 'e'; ++at) {
    if (*at == '.') {
      in_fraction = true;
      continue;
    }
    digits = 10 * digits + static_cast<std::uint64_t>(*at - '0');
    if (in_fraction) --exponent;
  }
  *written.ptr = '\0';
  exponent += std::atoi(at + 1);
  if (exponent >= 0) return absl::int128(digits) * PowerOfTen(exponent);
  if (exponent < -17) return 0;  // below a tenth of a pico-unit
  return DivideHalfEven(digits, PowerOfTen(-exponent));
}

}  // namespace

Amount Amount::FromFraction(double count) {
  // Counts have few decimals, costs have many.
  if (const auto picos = PicosOfParts(count, 100)) return FromPicos(*picos);
  if (const auto picos = PicosOfParts(count, kPicosPerUnit)) {
    return FromPicos(*picos);
  }
  return FromPicos(PicosOfShortestDecimal(count));
}

double Amount::ToDouble() const {
  if (picos_ == 0) return 0;
  // The quotient is taken with 63 or 64 significant bits, of which the last
  // also says whether anything follows; that is enough for the conversion to
  // double to round as if it saw all of it.
  absl::uint128 scaled = static_cast<absl::uint128>(picos_);
  int shift = 0;
  for (; (absl::Uint128High64(scaled) >> 63) == 0; ++shift) scaled <<= 1;
  const absl::uint128 quotient = scaled / kPicosPerUnit;
  constexpr int kDropped = 25;
  const bool inexact = scaled % kPicosPerUnit != 0 ||
                       ((quotient >> kDropped) << kDropped) != quotient;
  const std::uint64_t head = absl::Uint128Low64(quotient >> kDropped);
  return std::ldexp(static_cast<double>(head | (inexact ? 1 : 0)),
                    kDropped - shift);
}

std::string Amount::ToDecimal() const {
  if (picos_ < 0) return "-" + FromPicos(-picos_).ToDecimal();
  absl::uint128 rest = static_cast<absl::uint128>(picos_);
  char text[48];
  char* const end = text + sizeof(text);
  char* begin = end;
  for (int written = 0; rest != 0 || written <= kDecimals; ++written) {
    *--begin = static_cast<char>('0' + static_cast<int>(rest % 10));
    rest /= 10;
    if (written == kDecimals - 1) *--begin = '.';
  }
  std::string_view decimal(begin, static_cast<std::size_t>(end - begin));
  decimal.remove_suffix(decimal.size() - 1 - decimal.find_last_not_of('0'));
  if (decimal.back() == '.') decimal.remove_suffix(1);
  return std::string(decimal);
}

}  // namespace tokenusage
