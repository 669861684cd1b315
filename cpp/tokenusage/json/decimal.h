// A decimal to the nearest double, and a double to its shortest decimal.

#ifndef TOKENUSAGE_JSON_DECIMAL_H_
#define TOKENUSAGE_JSON_DECIMAL_H_

#include <cstdint>

namespace tokenusage {
namespace json_internal {

inline constexpr std::uint64_t kMaxExactInteger = std::uint64_t{1} << 53;

// Powers of ten that are doubles exactly.
inline constexpr int kMaxExactPower = 22;
inline constexpr double kExactPowers[kMaxExactPower + 1] = {
    1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

// digits * 10^exponent, rounded to the nearest double, ties to even; an
// infinity where that is beyond the largest. By the method of Eisel and Lemire,
// which is exact for every 64-bit `digits`. Thread-safe, as all functions here.
double NearestDouble(std::uint64_t digits, std::int64_t exponent);

// The same. One operation on exact doubles is rounded correctly by itself.
inline double ToDouble(std::uint64_t digits, std::int64_t exponent) {
  if (digits <= kMaxExactInteger) {
    if (exponent <= 0 && exponent >= -kMaxExactPower) {
      return static_cast<double>(digits) / kExactPowers[-exponent];
    }
    if (exponent > 0 && exponent <= kMaxExactPower) {
      return static_cast<double>(digits) * kExactPowers[exponent];
    }
  }
  return NearestDouble(digits, exponent);
}

struct ShortestDecimal {
  std::uint64_t digits;  // at most 17 of them
  int exponent;
};

// The decimal of fewest digits that reads back to `value`, which is finite and
// above zero; of several, the one nearest to it. Zeros that end the digits do
// not count, and may be there. By Giulietti's Schubfach.
ShortestDecimal ToShortestDecimal(double value);

}  // namespace json_internal
}  // namespace tokenusage

#endif  // TOKENUSAGE_JSON_DECIMAL_H_
