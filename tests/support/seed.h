// SPDX-License-Identifier: Apache-2.0

// The seed of a randomised test: a new one each time, printed, and given back
// in by the environment variable TOKENUSAGE_TEST_SEED.

#ifndef TOKENUSAGE_TESTS_SUPPORT_SEED_H_
#define TOKENUSAGE_TESTS_SUPPORT_SEED_H_

#include <cstdint>

namespace tokenusage {
namespace testing {

std::uint64_t TestSeed();

}  // namespace testing
}  // namespace tokenusage

#endif  // TOKENUSAGE_TESTS_SUPPORT_SEED_H_
