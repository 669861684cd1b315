#include "tokenusage/json/decimal.h"

#include <cstring>
#include <limits>

#include "tokenusage/json/powers_of_ten.h"

namespace tokenusage {
namespace json_internal {
namespace {

static_assert(std::numeric_limits<double>::is_iec559, "doubles are binary64");

// GCC and Clang, on every 64-bit machine.
__extension__ typedef unsigned __int128 Wide;

constexpr int kFractionBits = 52;
constexpr int kExponentBias = 1023;
constexpr int kInfiniteExponent = 0x7FF;
constexpr std::uint64_t kImplicitBit = std::uint64_t{1} << kFractionBits;

const PowerOfTen& Power(std::int64_t n) {
  return kPowersOfTen[n - kMinPowerOfTen];
}

std::uint64_t High(Wide wide) { return static_cast<std::uint64_t>(wide >> 64); }
std::uint64_t Low(Wide wide) { return static_cast<std::uint64_t>(wide); }

double FromBits(std::uint64_t bits) {
  double value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

// The leading 128 bits of digits * 10^n, as exact as rounding to 55 bits needs.
Wide Product(std::uint64_t digits, const PowerOfTen& power) {
  Wide product = Wide{digits} * power.high;
  constexpr std::uint64_t kBelowRounding =
      std::numeric_limits<std::uint64_t>::max() >> (kFractionBits + 3);
  if ((High(product) & kBelowRounding) == kBelowRounding) {
    product += High(Wide{digits} * power.low);
  }
  return product;
}

// A subnormal, or the least normal number where rounding carries that far.
double Subnormal(std::uint64_t mantissa, int shift) {
  if (shift >= 64) return 0;
  mantissa >>= shift;
  return FromBits((mantissa + (mantissa & 1)) >> 1);
}

}  // namespace

double NearestDouble(std::uint64_t digits, std::int64_t exponent) {
  if (digits == 0 || exponent < kMinPowerOfTen) return 0;
  if (exponent > 308) return std::numeric_limits<double>::infinity();
  const int zeros = __builtin_clzll(digits);
  const Wide product = Product(digits << zeros, Power(exponent));
  const int top = static_cast<int>(High(product) >> 63);
  const int shift = top + 64 - kFractionBits - 3;
  std::uint64_t mantissa = High(product) >> shift;  // 53 bits, and one to round
  // log2(10) * exponent, rounded down.
  const int log2 = static_cast<int>((217706 * exponent) >> 16);
  int binary_exponent = log2 + 63 + top - zeros + kExponentBias;
  if (binary_exponent <= 0) return Subnormal(mantissa, 1 - binary_exponent);
  // Exactly half way, which only small powers of ten allow: to even.
  if (Low(product) <= 1 && exponent >= -4 && exponent <= 23 &&
      (mantissa & 3) == 1 && mantissa << shift == High(product)) {
    mantissa &= ~std::uint64_t{1};
  }
  mantissa = (mantissa + (mantissa & 1)) >> 1;
  if (mantissa >= 2 * kImplicitBit) {
    mantissa = kImplicitBit;
    ++binary_exponent;
  }
  if (binary_exponent >= kInfiniteExponent) {
    return std::numeric_limits<double>::infinity();
  }
  return FromBits((mantissa & ~kImplicitBit) |
                  static_cast<std::uint64_t>(binary_exponent) << kFractionBits);
}

namespace {

// power * scaled / 2^128, with the last bit set where that is not exact.
std::uint64_t RoundToOdd(Wide power, std::uint64_t scaled) {
  const Wide low = Wide{Low(power)} * scaled;
  const Wide sum = Wide{High(power)} * scaled + High(low);
  return High(sum) | (Low(sum) > 1 ? 1 : 0);
}

// A double's value: significand * 2^exponent.
struct Binary {
  std::uint64_t significand;
  int exponent;
  bool is_power_of_two;  // so that the gap below is half the gap above
};

Binary Split(double value) {
  std::uint64_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  const std::uint64_t fraction = bits & (kImplicitBit - 1);
  const int biased = static_cast<int>(bits >> kFractionBits);
  if (biased == 0) return {fraction, 1 - kExponentBias - kFractionBits, false};
  return {fraction | kImplicitBit, biased - kExponentBias - kFractionBits,
          fraction == 0 && biased > 1};
}

ShortestDecimal WithoutTrailingZeros(std::uint64_t digits, int exponent) {
  while (true) {
    const std::uint64_t tenth = digits / 10;
    if (tenth * 10 != digits) return {digits, exponent};
    digits = tenth;
    ++exponent;
  }
}

// Values at 4 times the scale 10^exponent: the number itself and the ends of
// the interval that reads back to it.
struct Interval {
  std::uint64_t lower, value, upper;

  bool Holds(std::uint64_t decimal) const {
    return lower <= 4 * decimal && 4 * decimal <= upper;
  }
};

}  // namespace

ShortestDecimal ToShortestDecimal(double value) {
  const Binary binary = Split(value);
  const std::uint64_t center = 4 * binary.significand;
  // log10 of the interval's width, rounded down.
  const int exponent =
      static_cast<int>((std::int64_t{binary.exponent} * 1262611 -
                        (binary.is_power_of_two ? 524031 : 0)) >>
                       22);
  // log2(10^-exponent), rounded down.
  const int log2 = (-exponent * 1741647) >> 19;
  const int shift = binary.exponent + log2 + 1;
  const PowerOfTen& entry = Power(-exponent);
  const bool exact_or_up = -exponent >= -27 && -exponent <= 55;
  const Wide power =
      (Wide{entry.high} << 64 | entry.low) + (exact_or_up ? 0 : 1);
  const std::uint64_t odd = binary.significand & 1;
  const Interval interval = {
      RoundToOdd(power, (center - (binary.is_power_of_two ? 1 : 2)) << shift) +
          odd,
      RoundToOdd(power, center << shift),
      RoundToOdd(power, (center + 2) << shift) - odd};

  const std::uint64_t below = interval.value / 4;
  if (below >= 10) {
    const std::uint64_t tens = below / 10 * 10;
    const bool low_fits = interval.Holds(tens);
    if (low_fits != interval.Holds(tens + 10)) {
      return WithoutTrailingZeros(low_fits ? tens : tens + 10, exponent);
    }
  }
  const bool low_fits = interval.Holds(below);
  const bool high_fits = interval.Holds(below + 1);
  const std::uint64_t middle = 4 * below + 2;
  const bool up = low_fits != high_fits
                      ? high_fits
                      : interval.value > middle ||
                            (interval.value == middle && (below & 1) != 0);
  return WithoutTrailingZeros(below + (up ? 1 : 0), exponent);
}

}  // namespace json_internal
}  // namespace tokenusage
