// SPDX-License-Identifier: Apache-2.0

// Fuzzes Amount against decimals that are computed digit by digit.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "absl/numeric/int128.h"
#include "tests/support/fuzzing/byte_source.h"
#include "tests/support/fuzzing/fuzz_target.h"
#include "tests/support/fuzzing/shortest_decimal.h"
#include "tokenusage/usage/amount.h"

namespace tokenusage {
namespace testing {
namespace {

absl::int128 ToInt128(const std::string& digits) {
  absl::int128 number = 0;
  for (const char digit : digits) number = number * 10 + (digit - '0');
  return number;
}

// Returns the count's shortest decimal in picos (10^-12), rounded half to even.
absl::int128 ReferencePicos(double count) {
  if (count == 0) return 0;
  const ShortestDecimal decimal = ToShortestDecimal(count);
  const int whole_digits = decimal.exponent + 12;  // of the picos
  if (whole_digits < 0) return 0;                  // below a tenth of a pico
  std::string digits = decimal.digits;
  const auto kept = static_cast<std::size_t>(whole_digits);
  if (digits.size() < kept) digits.append(kept - digits.size(), '0');
  absl::int128 picos = ToInt128(digits.substr(0, kept));
  const std::string rest = digits.substr(kept);
  if (rest.empty()) return picos;
  const std::string half = "5" + std::string(rest.size() - 1, '0');
  if (rest > half || (rest == half && picos % 2 == 1)) ++picos;
  return picos;
}

void Check(double count) {
  if (!(count >= 0 && count <= kMaxCount)) return;
  const Amount amount = Amount::FromCount(count);
  char text[64];
  std::snprintf(text, sizeof(text), "%.17g: ", count);
  const absl::int128 expected = ReferencePicos(count);
  if (amount.picos() != expected) {
    FuzzFail(text + amount.ToDecimal() + ", but is " +
             Amount::FromPicos(expected).ToDecimal());
  }
  const std::string decimal = amount.ToDecimal();
  if (amount.ToDouble() != std::strtod(decimal.c_str(), nullptr)) {
    FuzzFail(text + decimal + " as a double");
  }
  Amount sum = Amount::FromPicos(expected);
  sum += amount;
  if (sum.picos() != 2 * expected) FuzzFail(text + sum.ToDecimal() + " twice");
}

double FromBits(std::uint64_t bits) {
  double value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

// Checks the count and its two neighbours, whose decimals are seldom short.
void CheckAround(double count) {
  Check(count);
  Check(std::nextafter(count, 0.0));
  Check(std::nextafter(count, 1e300));
}

// Returns a count made of `bits`: a quotient with few or many decimals, any
// double, or one in the range of most counts.
double CountOf(std::uint8_t kind, std::uint64_t bits) {
  constexpr double kDivisors[] = {1, 2, 10, 100, 1e4, 1e12, 1e13};
  constexpr std::uint64_t kMantissa = (std::uint64_t{1} << 52) - 1;
  constexpr std::uint64_t kMinExponent = 1023 - 40;
  if (kind % 8 < 7) {
    return static_cast<double>(bits >> (kind / 8)) / kDivisors[kind % 8];
  }
  // The range of most counts: from 2^-40 to 2^53.
  const std::uint64_t exponent = kMinExponent + (bits >> 52) % 94;
  return FromBits(kind / 8 == 0 ? bits : (exponent << 52) | (bits & kMantissa));
}

}  // namespace

std::vector<std::string> SeedInputs() {
  std::vector<std::string> inputs;
  for (const double count :
       {0.0, 8105.75, 100.0, 0.1 + 0.2, 1e-12, 0.5e-12, 1.5e-12, 2.5e-12, 1e13,
        99999999999.99, 4503599627370495.5, kMaxCount, 5e-324}) {
    std::string input(1 + sizeof(count), '\7');
    std::memcpy(&input[1], &count, sizeof(count));
    inputs.push_back(input);
  }
  return inputs;
}

}  // namespace testing
}  // namespace tokenusage

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  namespace testing = tokenusage::testing;
  testing::ByteSource bytes(testing::AsText(data, size));
  while (!bytes.empty()) {
    const std::uint8_t kind = bytes.Byte();
    testing::CheckAround(testing::CountOf(kind, bytes.Integer(8)));
  }
  return 0;
}
