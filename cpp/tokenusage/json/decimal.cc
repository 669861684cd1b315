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

// The top of a product of 192 bits, with the last bit set where it is not
// exact. `upper` is all of it but the lowest 64 bits.
std::uint64_t RoundToOdd(Wide upper) {
  return High(upper) | (Low(upper) > 1 ? 1 : 0);
}

// A double's value: significand * 2^exponent.
struct Binary {
  std::uint64_t significand;
  int exponent;
};

// The shortest decimal of a double between whose neighbours lie equal gaps
// or, with kNearPower, twice as much above as below.
template <bool kNearPower>
ShortestDecimal Shortest(const Binary& binary) {
  // log10 of the gap, rounded down.
  const int exponent = static_cast<int>(
      (std::int64_t{binary.exponent} * 1262611 - (kNearPower ? 524031 : 0)) >>
      22);
  // log2(10^-exponent), rounded down.
  const int log2 = (-exponent * 1741647) >> 19;
  const int shift = binary.exponent + log2 + 1;
  const PowerOfTen& entry = Power(-exponent);
  const bool exact_or_up = -exponent >= -27 && -exponent <= 55;
  const Wide power =
      (Wide{entry.high} << 64 | entry.low) + (exact_or_up ? 0 : 1);

  // power * 4 * significand, and how far from it lie the ends of the interval
  // that reads back to the same double: half a gap is 2 of these units.
  const std::uint64_t center = 4 * binary.significand << shift;
  const Wide low = Wide{Low(power)} * center;
  const Wide middle = Wide{High(power)} * center + High(low);
  const Wide above_gap = power >> (63 - shift);
  const std::uint64_t above_low = Low(power) << (shift + 1);
  const Wide below_gap = kNearPower ? power >> (64 - shift) : above_gap;
  const std::uint64_t below_low = kNearPower ? Low(power) << shift : above_low;
  const bool borrow = Low(low) < below_low;
  const bool carry = Low(low) + above_low < above_low;
  // The ends themselves read back to an even significand.
  const std::uint64_t odd = binary.significand & 1;
  const std::uint64_t lower =
      RoundToOdd(middle - below_gap - (borrow ? 1 : 0)) + odd;
  const std::uint64_t value = RoundToOdd(middle);
  const std::uint64_t upper =
      RoundToOdd(middle + above_gap + (carry ? 1 : 0)) - odd;

  // Which of the candidates it is hangs on the last bits: no branches here, as
  // they could not be predicted.
  const std::uint64_t below = value / 4;
  const std::uint64_t tens = value / 40 * 10;
  const bool tens_fit = lower <= 4 * tens;
  const bool next_tens_fit = 4 * tens + 40 <= upper;
  const bool below_fits = lower <= 4 * below;
  const bool above_fits = 4 * below + 4 <= upper;
  const bool above_nearer = value + (below & 1) > 4 * below + 2;
  const std::uint64_t one_more =
      below + ((below_fits != above_fits) ? above_fits : above_nearer);
  const std::uint64_t one_less = tens + (next_tens_fit ? 10 : 0);
  const bool shorter = (tens_fit != next_tens_fit) & (below >= 10);
  return {shorter ? one_less : one_more, exponent};
}

}  // namespace

ShortestDecimal ToShortestDecimal(double value) {
  std::uint64_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  const std::uint64_t fraction = bits & (kImplicitBit - 1);
  const int biased = static_cast<int>(bits >> kFractionBits);
  constexpr int kScale = kExponentBias + kFractionBits;
  if (biased == 0) return Shortest<false>({fraction, 1 - kScale});
  const Binary binary = {fraction | kImplicitBit, biased - kScale};
  if (fraction == 0 && biased > 1) return Shortest<true>(binary);
  return Shortest<false>(binary);
}

}  // namespace json_internal
}  // namespace tokenusage
