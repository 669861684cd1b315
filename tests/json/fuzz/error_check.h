// SPDX-License-Identifier: Apache-2.0
//
// What holds for every error of reading, whatever the document.

#ifndef TOKENUSAGE_TESTS_JSON_FUZZ_ERROR_CHECK_H_
#define TOKENUSAGE_TESTS_JSON_FUZZ_ERROR_CHECK_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "tokenusage/json/json_error.h"

namespace tokenusage {
namespace testing {

// Of an error of reading `json`: the status carries an error that it prints in
// one line of UTF-8; its place is in the document, its line and column are
// those of its offset, and it repeats at most 40 characters of the document.
// FuzzFail() where that does not hold.
JsonError CheckedReadError(const absl::Status& status, std::string_view json);

// Of an error of writing: the same, without a place.
JsonError CheckedWriteError(const absl::Status& status);

}  // namespace testing
}  // namespace tokenusage

#endif  // TOKENUSAGE_TESTS_JSON_FUZZ_ERROR_CHECK_H_
