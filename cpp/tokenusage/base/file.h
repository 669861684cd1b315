// SPDX-License-Identifier: Apache-2.0

// Small files, whole.
//
//   TOKENUSAGE_ASSIGN_OR_RETURN(std::string text, ReadFile(path));

#ifndef TOKENUSAGE_BASE_FILE_H_
#define TOKENUSAGE_BASE_FILE_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace tokenusage {

// Errors, each naming the path: NOT_FOUND, PERMISSION_DENIED, UNAVAILABLE where
// it cannot be read, FAILED_PRECONDITION where it is longer than max_bytes.
absl::StatusOr<std::string> ReadFile(const std::string& path,
                                     std::size_t max_bytes = 16 << 20);

// Creates a file that only its owner may read and write.
//
// Errors, each naming the path: ALREADY_EXISTS, and as above.
absl::Status WriteNewPrivateFile(const std::string& path,
                                 std::string_view content);

}  // namespace tokenusage

#endif  // TOKENUSAGE_BASE_FILE_H_
