// The powers of ten to 128 significant bits, for conversions between binary
// and decimal that are exact in the end.

#ifndef TOKENUSAGE_JSON_POWERS_OF_TEN_H_
#define TOKENUSAGE_JSON_POWERS_OF_TEN_H_

#include <cstdint>

namespace tokenusage {
namespace json_internal {

// The 128 leading bits of 10^n as high * 2^64 + low, the topmost set. For n
// from 0 to 55 that is exact; from -27 to -1 rounded up, otherwise rounded
// down.
struct PowerOfTen {
  std::uint64_t high;
  std::uint64_t low;
};

inline constexpr int kMinPowerOfTen = -342;
inline constexpr int kMaxPowerOfTen = 326;

// That of 10^n stands at n - kMinPowerOfTen.
extern const PowerOfTen kPowersOfTen[kMaxPowerOfTen - kMinPowerOfTen + 1];

}  // namespace json_internal
}  // namespace tokenusage

#endif  // TOKENUSAGE_JSON_POWERS_OF_TEN_H_
