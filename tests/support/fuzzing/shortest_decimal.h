// SPDX-License-Identifier: Apache-2.0

// The shortest decimal of a floating-point number, found by trial.

#ifndef TOKENUSAGE_TESTS_SUPPORT_FUZZING_SHORTEST_DECIMAL_H_
#define TOKENUSAGE_TESTS_SUPPORT_FUZZING_SHORTEST_DECIMAL_H_

#include <string>

namespace tokenusage {
namespace testing {

// The number 0.DIGITS * 10^exponent.
struct ShortestDecimal {
  std::string digits;  // without zeros at either end
  int exponent = 0;
};

// Of the decimals that read back to `value`, those with the fewest digits, and
// of these the nearest to it. `value` must be finite and above zero.
ShortestDecimal ToShortestDecimal(double value);
ShortestDecimal ToShortestDecimal(float value);

}  // namespace testing
}  // namespace tokenusage

#endif  // TOKENUSAGE_TESTS_SUPPORT_FUZZING_SHORTEST_DECIMAL_H_
