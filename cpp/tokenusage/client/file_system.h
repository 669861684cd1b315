// SPDX-License-Identifier: Apache-2.0

// The files of a spool. Tests replace the real file system with one that loses
// what was not synced, is full, or fails.
//
//   FileSystem* files = FileSystem::Real();
//   TOKENUSAGE_ASSIGN_OR_RETURN(auto file, files->Open("spool/cursor"));
//   TOKENUSAGE_RETURN_IF_ERROR(file->WriteAt(0, "17\n"));
//   TOKENUSAGE_RETURN_IF_ERROR(file->Sync());

#ifndef TOKENUSAGE_CLIENT_FILE_SYSTEM_H_
#define TOKENUSAGE_CLIENT_FILE_SYSTEM_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace tokenusage {

// An open file. Thread-safe. Errors name the file and are those of FileError,
// among them UNAVAILABLE if the disk is full.
class File {
 public:
  virtual ~File() = default;

  virtual absl::StatusOr<std::int64_t> Size() = 0;

  // Replaces `content` with at most `size` bytes; fewer at the file's end.
  virtual absl::Status ReadAt(std::int64_t offset, std::size_t size,
                              std::string* content) = 0;

  // Writes all of `content`. After an error any part of it may be written.
  virtual absl::Status WriteAt(std::int64_t offset,
                               std::string_view content) = 0;

  virtual absl::Status Truncate(std::int64_t size) = 0;

  // Returns once what was written will survive a power failure.
  virtual absl::Status Sync() = 0;
};

// Thread-safe. Errors name the file or folder and are those of FileError.
class FileSystem {
 public:
  enum class OpenMode { kRead, kReadWrite, kCreate };

  virtual ~FileSystem() = default;

  // Returns the machine's file system.
  static FileSystem* Real();

  // Creates a folder for its owner only. Succeeds if there is one already.
  virtual absl::Status CreateFolder(const std::string& path) = 0;

  // Returns the names in a folder, in any order.
  virtual absl::StatusOr<std::vector<std::string>> List(
      const std::string& folder) = 0;

  // Opens a file; kCreate creates it, for its owner only, if there is none.
  virtual absl::StatusOr<std::unique_ptr<File>> Open(
      const std::string& path, OpenMode mode = OpenMode::kCreate) = 0;

  virtual absl::Status Remove(const std::string& path) = 0;

  // Returns once the names of the files and folders in it will survive a power
  // failure.
  virtual absl::Status SyncFolder(const std::string& folder) = 0;

  // Locks a file, which is created if there is none, until the result is
  // destroyed. FAILED_PRECONDITION if it is locked.
  virtual absl::StatusOr<std::unique_ptr<File>> Lock(
      const std::string& path) = 0;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLIENT_FILE_SYSTEM_H_
