// SPDX-License-Identifier: Apache-2.0

#include "tests/support/fuzzing/fuzz_target.h"

#include <cstdio>
#include <cstdlib>

namespace tokenusage {
namespace testing {

void FuzzFail(const std::string& what) {
  std::fprintf(stderr, "BUG: %s\n", what.c_str());
  std::abort();
}

}  // namespace testing
}  // namespace tokenusage
