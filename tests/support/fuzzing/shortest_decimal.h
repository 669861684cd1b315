// SPDX-License-Identifier: Apache-2.0

// Finds the shortest decimal of a floating-point number by trial.

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

// Returns the decimal with the fewest digits that reads back to `value`; if
// there are several, the nearest to it. `value` must be finite and positive.
ShortestDecimal ToShortestDecimal(double value);
ShortestDecimal ToShortestDecimal(float value);

}  // namespace testing
}  // namespace tokenusage

#endif  // TOKENUSAGE_TESTS_SUPPORT_FUZZING_SHORTEST_DECIMAL_H_
