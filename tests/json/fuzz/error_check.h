// SPDX-License-Identifier: Apache-2.0
//
// Checks what holds for every error of reading or writing, whatever the input.

#ifndef TOKENUSAGE_TESTS_JSON_FUZZ_ERROR_CHECK_H_
#define TOKENUSAGE_TESTS_JSON_FUZZ_ERROR_CHECK_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "tokenusage/json/json_error.h"

namespace tokenusage {
namespace testing {

// Returns the JsonError of a status from reading `json`. Calls FuzzFail()
// unless the status prints it in one line of UTF-8, its place is in the
// document, its line and column are those of its offset, and it repeats at most
// 40 characters of the document.
JsonError CheckedReadError(const absl::Status& status, std::string_view json);

// Returns the JsonError of a status from writing, checked in the same way,
// except that it must have no place.
JsonError CheckedWriteError(const absl::Status& status);

}  // namespace testing
}  // namespace tokenusage

#endif  // TOKENUSAGE_TESTS_JSON_FUZZ_ERROR_CHECK_H_
