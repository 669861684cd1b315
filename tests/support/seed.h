// SPDX-License-Identifier: Apache-2.0

// The seed of a randomised test:
//
//   std::mt19937_64 random(testing::TestSeed());

#ifndef TOKENUSAGE_TESTS_SUPPORT_SEED_H_
#define TOKENUSAGE_TESTS_SUPPORT_SEED_H_

#include <cstdint>

namespace tokenusage {
namespace testing {

// Returns the seed in the environment variable TOKENUSAGE_TEST_SEED, or a new
// one if it is not set, and prints it as TOKENUSAGE_TEST_SEED=n.
std::uint64_t TestSeed();

}  // namespace testing
}  // namespace tokenusage

#endif  // TOKENUSAGE_TESTS_SUPPORT_SEED_H_
