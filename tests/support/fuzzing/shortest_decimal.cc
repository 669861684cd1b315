// SPDX-License-Identifier: Apache-2.0

#include "tests/support/fuzzing/shortest_decimal.h"

#include <cstddef>
#include <cstdio>
#include <cstdlib>

namespace tokenusage {
namespace testing {
namespace {

// No double has more significant digits; floats have fewer.
constexpr int kMaxDigits = 767;

std::string AsText(const ShortestDecimal& decimal) {
  return "0." + decimal.digits + "e" + std::to_string(decimal.exponent);
}

bool ReadsBack(const ShortestDecimal& decimal, double value) {
  return std::strtod(AsText(decimal).c_str(), nullptr) == value;
}

bool ReadsBack(const ShortestDecimal& decimal, float value) {
  return std::strtof(AsText(decimal).c_str(), nullptr) == value;
}

// Returns all digits of the value.
ShortestDecimal Exact(double value) {
  char text[kMaxDigits + 16];
  std::snprintf(text, sizeof(text), "%.*e", kMaxDigits - 1, value);
  const std::string printed = text;
  const std::size_t e = printed.find('e');
  ShortestDecimal decimal;
  decimal.digits = printed[0] + printed.substr(2, e - 2);
  decimal.digits.resize(decimal.digits.find_last_not_of('0') + 1);
  decimal.exponent = std::atoi(printed.c_str() + e + 1) + 1;
  return decimal;
}

// Returns the next decimal with the same number of digits.
ShortestDecimal Next(ShortestDecimal decimal) {
  std::string& digits = decimal.digits;
  std::size_t i = digits.size();
  while (i > 0 && digits[i - 1] == '9') digits[--i] = '0';
  if (i > 0) {
    ++digits[i - 1];
  } else {
    digits.insert(0, 1, '1');
    digits.pop_back();
    ++decimal.exponent;
  }
  return decimal;
}

// Returns whether rounding `digits` to the first `kept`, half to even, rounds
// up.
bool IsNearerToNext(const std::string& digits, std::size_t kept) {
  const std::string rest = digits.substr(kept);
  const std::string half = "5" + std::string(rest.size() - 1, '0');
  return rest == half ? (digits[kept - 1] - '0') % 2 == 1 : rest > half;
}

template <typename Value>
ShortestDecimal Search(Value value) {
  const ShortestDecimal exact = Exact(value);
  for (std::size_t kept = 1; kept < exact.digits.size(); ++kept) {
    const ShortestDecimal below = {exact.digits.substr(0, kept),
                                   exact.exponent};
    const ShortestDecimal above = Next(below);
    const bool below_good = ReadsBack(below, value);
    const bool above_good = ReadsBack(above, value);
    if (!below_good && !above_good) continue;
    const bool take_above =
        above_good && (!below_good || IsNearerToNext(exact.digits, kept));
    ShortestDecimal found = take_above ? above : below;
    while (found.digits.back() == '0') found.digits.pop_back();
    return found;
  }
  return exact;
}

}  // namespace

ShortestDecimal ToShortestDecimal(double value) { return Search(value); }

ShortestDecimal ToShortestDecimal(float value) { return Search(value); }

}  // namespace testing
}  // namespace tokenusage
