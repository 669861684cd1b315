// SPDX-License-Identifier: Apache-2.0

// Reads and writes small files as a whole.
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

// Returns the status for a value of errno: NOT_FOUND, ALREADY_EXISTS,
// PERMISSION_DENIED, FAILED_PRECONDITION for a path that names no file, or
// UNAVAILABLE for failures that may pass. `what` names the file.
absl::Status FileError(std::string_view what, int error);

// Returns the content of a file. Errors, each naming the path: those of
// FileError; FAILED_PRECONDITION if the file is longer than max_bytes.
absl::StatusOr<std::string> ReadFile(const std::string& path,
                                     std::size_t max_bytes = 16 << 20);

// Writes a file, replacing its content. If that fails, it may hold only a part
// of the new content.
//
// Errors, each naming the path: those of FileError.
absl::Status WriteFile(const std::string& path, std::string_view content);

// Creates a file that only its owner may read and write. When it returns OK,
// the whole file is on disk, with its name; otherwise there is none.
//
// Errors, each naming the path: those of FileError.
absl::Status WriteNewPrivateFile(const std::string& path,
                                 std::string_view content);

// Writes a file in such a way that its name always stands for all of the old
// content or all of the new, even after a power failure: writes PATH.new, syncs
// it, and renames it. The file keeps its owner and mode.
//
// Errors, each naming the path: those of FileError, among them UNAVAILABLE if
// the disk is full. PATH.new is then removed.
absl::Status ReplaceFile(const std::string& path, std::string_view content);

}  // namespace tokenusage

#endif  // TOKENUSAGE_BASE_FILE_H_
