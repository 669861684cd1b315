// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/json/internal/number_writer.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace tokenusage {
namespace json_internal {
namespace {

// Beyond this, a reader whose numbers are doubles would not see the same
// integer.
constexpr std::uint64_t kMaxExactInteger = std::uint64_t{1} << 53;

constexpr std::uint32_t kHundredMillion = 100'000'000;

// Writes 0.DIGITS * 10^point, laid out as ECMAScript's Number::toString does.
char* PutDecimal(std::string_view digits, int point, char* out) {
  const auto put = [&out](std::string_view text) {
    out = std::copy(text.begin(), text.end(), out);
  };
  if (point > 21 || point < -5) {
    put(digits.substr(0, 1));
    if (digits.size() > 1) {
      put(".");
      put(digits.substr(1));
    }
    put(point > 0 ? "e+" : "e-");
    return std::to_chars(out, out + 4, std::abs(point - 1)).ptr;
  }
  const int zeros = point - static_cast<int>(digits.size());
  if (point <= 0) {
    put("0.");
    out = std::fill_n(out, -point, '0');
    put(digits);
  } else if (zeros < 0) {
    put(digits.substr(0, static_cast<std::size_t>(point)));
    put(".");
    put(digits.substr(static_cast<std::size_t>(point)));
  } else {
    put(digits);
    out = std::fill_n(out, zeros, '0');
  }
  return out;
}

// For doubles that are significand / 2^bits, which lie 1 / 2^bits apart: the
// largest power of ten, 10^n, whose inverse (a step) is not smaller than that
// distance, and the rest, 10^(15 - n).
struct Step {
  std::uint64_t power;
  std::uint64_t rest;
};

struct Steps {
  constexpr Steps() : by_bits() {
    for (int bits = 0; bits <= kFractionBits; ++bits) {
      // bits * log10(2), rounded down.
      const int decimals = (bits * 1262611) >> 22;
      Step& step = by_bits[bits];
      step = {1, 1};
      for (int i = 0; i < 15; ++i)
        (i < decimals ? step.power : step.rest) *= 10;
    }
  }

  static constexpr int kFractionBits = 52;
  Step by_bits[kFractionBits + 1];
};
constexpr Steps kSteps;

// Returns the sixteen decimals, as an integer, of the shortest decimal that
// reads back to significand / 2^bits, which must be from 1 to 10^8 and not
// whole. The decimal lies between the same two whole numbers, since these are
// doubles, too. The powers are small enough for exact arithmetic.
std::uint64_t ShortestDecimals(std::uint64_t significand, int bits) {
  // The fractional part in steps, and the remainder of a step.
  __extension__ typedef unsigned __int128 Wide;
  const std::uint64_t one = std::uint64_t{1} << bits;
  const Step& step = kSteps.by_bits[bits];
  const Wide product = Wide{significand & (one - 1)} * step.power;
  const auto steps = static_cast<std::uint64_t>(product >> bits);
  const std::uint64_t left = static_cast<std::uint64_t>(product) & (one - 1);

  // Checks whether one of the two multiples of a step around the value reads
  // back to it. One halfway to another double does if the significand is even.
  const std::uint64_t half_gap = step.power / 2;
  const std::uint64_t odd = significand & 1;
  const bool down = left + odd <= half_gap;
  const bool up = left + half_gap >= one + odd;
  // Otherwise the nearest multiple of a tenth of a step does.
  const std::uint64_t tenth = left * 10 >> bits;
  const bool above_half = (left * 10 & (one - 1)) + (tenth & 1) > one / 2;
  const std::uint64_t longer = 10 * steps + tenth + above_half;
  const std::uint64_t shorter = 10 * (steps + up);
  // Chosen by bits, since a branch could not be predicted.
  const std::uint64_t is_shorter = 0 - static_cast<std::uint64_t>(down | up);
  return (longer ^ ((longer ^ shorter) & is_shorter)) * step.rest;
}

// Writes a value from 1 to 10^8 that is not whole.
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

// Writes a positive number by its shortest digits.
template <typename Float>
char* PutShortest(Float value, char* out) {
  // Scientific notation gives the shortest digits for every magnitude; the
  // plain one would print large integers in full.
  char text[32];
  const char* const end = std::to_chars(text, text + sizeof(text), value,
                                        std::chars_format::scientific)
                              .ptr;
  const char* const e = std::find<const char*>(text, end, 'e');
  int exponent = 0;
  std::from_chars(e[1] == '+' ? e + 2 : e + 1, end, exponent);
  char* digits = text;
  if (e - text > 1) {  // 1.25e+02: the point goes
    text[1] = text[0];
    ++digits;
  }
  return PutDecimal({digits, static_cast<std::size_t>(e - digits)},
                    exponent + 1, out);
}

// Writes any number; returns null if it is not finite. Doubles from 1 to below
// 10^8 do not come here.
template <typename Float>
char* PutRare(Float value, char* out) {
  if (!std::isfinite(value)) return nullptr;
  if (std::signbit(value)) {
    value = -value;
    *out++ = '-';
  }
  if (value == 0) {
    *out++ = '0';
    return out;
  }
  return PutShortest(value, out);
}

}  // namespace

char* PutLongDouble(double value, char* out) {
  if (value >= 1 && value < kHundredMillion) {
    // Signed, since that is faster to convert.
    const auto whole = static_cast<std::int64_t>(value);
    if (static_cast<double>(whole) != value) return PutMixed(value, out);
    return PutShortInteger(static_cast<std::uint32_t>(whole), out);
  }
  return PutRare(value, out);
}

char* PutFloat(float value, char* out) { return PutRare(value, out); }

char* PutLongInteger(bool negative, std::uint64_t magnitude, char* out) {
  const bool quoted = magnitude > kMaxExactInteger;
  if (quoted) *out++ = '"';
  if (negative) *out++ = '-';
  out = std::to_chars(out, out + 20, magnitude).ptr;
  if (quoted) *out++ = '"';
  return out;
}

}  // namespace json_internal
}  // namespace tokenusage
