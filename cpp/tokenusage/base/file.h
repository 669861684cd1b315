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
// PERMISSION_DENIED, FAILED_PRECONDITION for a path that can name no file, or
// UNAVAILABLE for all other failures, which may pass. `what` names the file.
absl::Status FileError(std::string_view what, int error);

// Returns the content of a file. Errors, each naming the path: those of
// FileError; FAILED_PRECONDITION if the file is longer than max_bytes.
absl::StatusOr<std::string> ReadFile(const std::string& path,
                                     std::size_t max_bytes = 16 << 20);

// Writes a file, replacing its content, and does not sync it. On an error, the
// file may hold only a part of the new content.
//
// Errors, each naming the path: those of FileError.
absl::Status WriteFile(const std::string& path, std::string_view content);

// Creates a file that only its owner may read and write. If the status is OK,
// the file is on disk with its name and its whole content; otherwise no file
// was created.
//
// Errors, each naming the path: those of FileError, among them ALREADY_EXISTS
// if there is such a file, which is left as it is.
absl::Status WriteNewPrivateFile(const std::string& path,
                                 std::string_view content);

// Creates a file, or replaces its content all at once, even if the power fails:
// writes PATH.new, syncs it, and renames it. The file keeps its owner and mode.
// Calls for the same path must not overlap.
//
// Errors, each naming the path: those of FileError, among them UNAVAILABLE if
// the disk is full. The file then has its old content, unless only syncing its
// folder failed, and there is no PATH.new.
absl::Status ReplaceFile(const std::string& path, std::string_view content);

}  // namespace tokenusage

#endif  // TOKENUSAGE_BASE_FILE_H_
