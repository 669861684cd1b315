// SPDX-License-Identifier: Apache-2.0

// Random changes to inputs, for replays without libFuzzer.

#ifndef TOKENUSAGE_TESTS_SUPPORT_FUZZING_MUTATION_H_
#define TOKENUSAGE_TESTS_SUPPORT_FUZZING_MUTATION_H_

#include <random>
#include <string>
#include <vector>

namespace tokenusage {
namespace testing {

// The tokens of a dictionary file in libFuzzer's format: a line for each, in
// double quotes, with the escapes \\, \" and \xAB. Lines that begin with # and
// empty lines count for nothing.
std::vector<std::string> ReadDictionary(const std::string& path);

// Changes `input` in one to four places: bits, bytes, tokens, and pieces of
// itself or of `other` put in, left out or repeated.
void Mutate(const std::vector<std::string>& tokens, const std::string& other,
            std::mt19937_64* random, std::string* input);

}  // namespace testing
}  // namespace tokenusage

#endif  // TOKENUSAGE_TESTS_SUPPORT_FUZZING_MUTATION_H_
