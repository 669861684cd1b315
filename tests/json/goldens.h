// SPDX-License-Identifier: Apache-2.0
//
// The golden documents of tests/json/testdata. See tests/json/golden_test.cc.

#ifndef TOKENUSAGE_TESTS_JSON_GOLDENS_H_
#define TOKENUSAGE_TESTS_JSON_GOLDENS_H_

#include <string>
#include <vector>

namespace tokenusage {
namespace testing {

struct Golden {
  std::string name;  // such as valid/maps
  std::string json;
  std::string message_type;
  bool strict = false;
  std::string message_text;  // of a valid one: the message in text format
  std::string written;       // of a valid one: what it is written as
  std::string error;         // of an invalid one: its kind and text
};

// Returns all of them, in the order of their names. The working directory must
// be the workspace's root.
std::vector<Golden> ReadGoldens();

std::string ReadWholeFile(const std::string& path);

}  // namespace testing
}  // namespace tokenusage

#endif  // TOKENUSAGE_TESTS_JSON_GOLDENS_H_
