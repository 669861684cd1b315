// SPDX-License-Identifier: Apache-2.0

#include "tests/support/seed.h"

#include <cstdio>
#include <cstdlib>
#include <random>

namespace tokenusage {
namespace testing {

std::uint64_t TestSeed() {
  const char* const given = std::getenv("TOKENUSAGE_TEST_SEED");
  const std::uint64_t seed = given != nullptr
                                 ? std::strtoull(given, nullptr, 10)
                                 : std::random_device{}();
  std::printf("TOKENUSAGE_TEST_SEED=%llu\n",
              static_cast<unsigned long long>(seed));
  return seed;
}

}  // namespace testing
}  // namespace tokenusage
