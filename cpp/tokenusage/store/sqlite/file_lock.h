// SPDX-License-Identifier: Apache-2.0

// A lock that one process at a time can hold, and that ends with it.

#ifndef TOKENUSAGE_STORE_SQLITE_FILE_LOCK_H_
#define TOKENUSAGE_STORE_SQLITE_FILE_LOCK_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace tokenusage {

// Held while it lives. The file stays when the lock ends: to remove it would
// let two processes lock two files of the same name.
class FileLock {
 public:
  // Locks the file at `path`, and creates it where there is none. Does not
  // wait.
  //
  // Errors: FAILED_PRECONDITION, naming the path and the holder's process id,
  // where the lock is held; PERMISSION_DENIED, NOT_FOUND or UNAVAILABLE where
  // the file cannot be opened.
  static absl::StatusOr<std::unique_ptr<FileLock>> Acquire(
      const std::string& path);

  // The error that Acquire would give where the lock is held, and OK where it
  // is not, or where there is no file yet. Creates nothing.
  static absl::Status CheckFree(const std::string& path);

  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}

  int descriptor_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_SQLITE_FILE_LOCK_H_
