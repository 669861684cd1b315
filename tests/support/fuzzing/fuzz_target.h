// SPDX-License-Identifier: Apache-2.0

// The functions of a fuzz target; see fuzz_test.bzl.

#ifndef TOKENUSAGE_TESTS_SUPPORT_FUZZING_FUZZ_TARGET_H_
#define TOKENUSAGE_TESTS_SUPPORT_FUZZING_FUZZ_TARGET_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// Each target defines the first two functions.

// Tries one input, and calls FuzzFail() if it shows a bug. Returns 0.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size);

namespace tokenusage {
namespace testing {

// Returns inputs to start with, besides those in the target's corpus. The
// working directory is the root of the workspace.
std::vector<std::string> SeedInputs();

// Prints what is wrong and aborts; libFuzzer then keeps the input, and the
// replay of fuzz_test.bzl prints it.
[[noreturn]] void FuzzFail(const std::string& what);

inline std::string_view AsText(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace testing
}  // namespace tokenusage

#endif  // TOKENUSAGE_TESTS_SUPPORT_FUZZING_FUZZ_TARGET_H_
