// SPDX-License-Identifier: Apache-2.0

// Changes inputs at random, for replays without libFuzzer.

#ifndef TOKENUSAGE_TESTS_SUPPORT_FUZZING_MUTATION_H_
#define TOKENUSAGE_TESTS_SUPPORT_FUZZING_MUTATION_H_

#include <random>
#include <string>
#include <vector>

namespace tokenusage {
namespace testing {

// Reads the tokens of a dictionary in libFuzzer's format: one in each line, in
// double quotes, with the escapes \\, \" and \xAB. Skips empty lines and those
// that begin with #.
std::vector<std::string> ReadDictionary(const std::string& path);

// Changes `input` in one to four places: flips bits, replaces or inserts bytes,
// inserts tokens and pieces of itself or of `other`, and removes pieces.
void Mutate(const std::vector<std::string>& tokens, const std::string& other,
            std::mt19937_64* random, std::string* input);

}  // namespace testing
}  // namespace tokenusage

#endif  // TOKENUSAGE_TESTS_SUPPORT_FUZZING_MUTATION_H_
