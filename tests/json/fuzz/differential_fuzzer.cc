// SPDX-License-Identifier: Apache-2.0
//
// Reads any bytes in every way, and with the reference reader. All must accept
// them with the same message, or refuse them with the same error at the same
// place.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/json/fuzz/document_input.h"
#include "tests/json/fuzz/reference_check.h"
#include "tests/support/fuzzing/fuzz_target.h"

namespace tokenusage {
namespace testing {

std::vector<std::string> SeedInputs() { return GoldenInputs(); }

}  // namespace testing
}  // namespace tokenusage

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  namespace testing = tokenusage::testing;
  testing::CheckAgainstReference(
      testing::ReadDocumentInput(testing::AsText(data, size)));
  return 0;
}
