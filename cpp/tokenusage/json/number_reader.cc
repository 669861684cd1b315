#include "tokenusage/json/number_reader.h"

#include <cmath>
#include <string_view>

#include "tokenusage/json/number.h"

namespace tokenusage {
namespace json_internal {
namespace {

// Digits that surely fit in 64 bits.
constexpr std::uint32_t kMaxDigits = 19;

constexpr std::uint64_t kWholePowers[] = {1,
                                          10,
                                          100,
                                          1000,
                                          10000,
                                          100000,
                                          1000000,
                                          10000000,
                                          100000000,
                                          1000000000,
                                          10000000000,
                                          100000000000,
                                          1000000000000,
                                          10000000000000,
                                          100000000000000,
                                          1000000000000000,
                                          10000000000000000};

// The number that the first `count` digits of a word make, at most eight.
std::uint64_t FirstDigits(std::uint64_t word, std::uint32_t count) {
  // Two shifts, as one by 64 is not defined.
  return FromDigits(((word ^ kEightZeros) << (32 - 4 * count))
                    << (32 - 4 * count));
}

}  // namespace

const char* ReadLongDouble(const char* p, std::uint32_t whole, double* value) {
  if (whole == 0 || whole > 8 || p[whole] != '.') return nullptr;
  const std::uint64_t before = FirstDigits(LoadWord(p), whole);
  p += whole + 1;
  const auto decimals =
      static_cast<std::uint32_t>(__builtin_ctz(FastScan::NotDigitBits(p)));
  const char next = p[decimals];
  if (decimals == 0 || whole + decimals > kMaxDigits || (next | 0x20) == 'e' ||
      (next >= '0' && next <= '9')) {
    return nullptr;
  }
  std::uint64_t after;
  if (decimals <= 8) {
    after = FirstDigits(LoadWord(p), decimals);
  } else {
    after = FromDigits(LoadWord(p) ^ kEightZeros) * kWholePowers[decimals - 8] +
            FirstDigits(LoadWord(p + 8), decimals - 8);
  }
  *value = ToDouble(before * kWholePowers[decimals] + after,
                    -static_cast<std::int64_t>(decimals));
  return p + decimals;
}

const char* ReadAnyDouble(const char* p, const char* end, double* value) {
  if (p >= end) return nullptr;
  const std::string_view text(p, static_cast<std::size_t>(end - p));
  const NumberSpan span = ScanNumber(text);
  if (!span.valid || !ParseDouble(text.substr(0, span.length), value)) {
    return nullptr;
  }
  return p + span.length;
}

}  // namespace json_internal
}  // namespace tokenusage
