// SPDX-License-Identifier: Apache-2.0
//
// The names of JsonError's kinds, for what tests print.

#ifndef TOKENUSAGE_TESTS_JSON_ERROR_NAMES_H_
#define TOKENUSAGE_TESTS_JSON_ERROR_NAMES_H_

#include <string>

#include "tokenusage/json/json_error.h"

namespace tokenusage {
namespace testing {

// Returns a name such as kSyntax; empty for a value that is no kind.
std::string ErrorKindName(JsonError::Kind kind);

}  // namespace testing
}  // namespace tokenusage

#endif  // TOKENUSAGE_TESTS_JSON_ERROR_NAMES_H_
