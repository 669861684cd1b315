// SPDX-License-Identifier: Apache-2.0

// What a fuzz target is made of. See fuzz_test.bzl.

#ifndef TOKENUSAGE_TESTS_SUPPORT_FUZZING_FUZZ_TARGET_H_
#define TOKENUSAGE_TESTS_SUPPORT_FUZZING_FUZZ_TARGET_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// Each target defines these two.

// Tries one input; FuzzFail() where it shows a fault. Returns 0.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size);

namespace tokenusage {
namespace testing {

// Inputs to begin with, beside those kept in the target's corpus. The working
// directory is the workspace's root.
std::vector<std::string> SeedInputs();

// And may call these.

// Prints what is wrong, and aborts: libFuzzer, and the replay of fuzz_test.bzl,
// then keep or print the input.
[[noreturn]] void FuzzFail(const std::string& what);

inline std::string_view AsText(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace testing
}  // namespace tokenusage

#endif  // TOKENUSAGE_TESTS_SUPPORT_FUZZING_FUZZ_TARGET_H_
