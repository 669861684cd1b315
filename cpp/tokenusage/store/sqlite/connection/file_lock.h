// SPDX-License-Identifier: Apache-2.0

// A lock that one process at a time can hold, and that ends with the process.

#ifndef TOKENUSAGE_STORE_SQLITE_CONNECTION_FILE_LOCK_H_
#define TOKENUSAGE_STORE_SQLITE_CONNECTION_FILE_LOCK_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace tokenusage {

// Held while this object lives. The file stays when the lock ends: if it were
// removed, two processes could lock two files of the same name.
class FileLock {
 public:
  // Locks the file at `path`, and creates it if it is missing. Does not wait.
  //
  // Errors: FAILED_PRECONDITION, naming the path and the holder's process id,
  // if the lock is held; those of FileError if the file cannot be opened.
  static absl::StatusOr<std::unique_ptr<FileLock>> Acquire(
      const std::string& path);

  // Returns Acquire's error if the lock is held, otherwise OK. Creates no file.
  static absl::Status CheckFree(const std::string& path);

  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}

  int descriptor_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_SQLITE_CONNECTION_FILE_LOCK_H_
