// SPDX-License-Identifier: Apache-2.0
//
// The golden documents of tests/json/testdata. See tests/json/golden_test.cc.

#ifndef TOKENUSAGE_TESTS_JSON_GOLDENS_H_
#define TOKENUSAGE_TESTS_JSON_GOLDENS_H_

#include <string>
#include <vector>

namespace tokenusage {
namespace testing {

// A golden document, and what reading it gives.
struct Golden {
  std::string name;  // such as valid/maps
  std::string json;
  std::string message_type;
  bool strict = false;
  std::string message_text;  // if valid: the message in text format
  std::string written;       // if valid: what the message is written as
  std::string error;         // if invalid: the error's kind and text
};

// Returns all goldens, ordered by name. The working directory must be the
// workspace's root. Aborts if a file is missing or malformed.
std::vector<Golden> ReadGoldens();

// Returns the file's content; empty if the file cannot be read.
std::string ReadWholeFile(const std::string& path);

}  // namespace testing
}  // namespace tokenusage

#endif  // TOKENUSAGE_TESTS_JSON_GOLDENS_H_
