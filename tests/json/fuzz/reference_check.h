// SPDX-License-Identifier: Apache-2.0
//
// Compares what the reader and the reference reader make of a document.

#ifndef TOKENUSAGE_TESTS_JSON_FUZZ_REFERENCE_CHECK_H_
#define TOKENUSAGE_TESTS_JSON_FUZZ_REFERENCE_CHECK_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "tests/json/fuzz/document_input.h"
#include "tests/json/fuzz/reference_reader.h"

namespace tokenusage {
namespace testing {

// Reads the document in every possible way, and with the reference reader.
// Calls FuzzFail() unless all accept it with the same message, or all refuse it
// with the same error at the same position.
void CheckAgainstReference(const DocumentInput& input);

// Calls FuzzFail() unless `status` and `expected` are both a success, or both
// the same kind of error at the same place. `way` is how `json` was read.
void CheckSameOutcome(const std::string& way, std::string_view json,
                      const absl::Status& status,
                      const std::optional<ReferenceError>& expected);

}  // namespace testing
}  // namespace tokenusage

#endif  // TOKENUSAGE_TESTS_JSON_FUZZ_REFERENCE_CHECK_H_
