// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/sqlite/connection/unfinished_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "tokenusage/base/file.h"
#include "tokenusage/base/status_macros.h"

namespace tokenusage {
namespace {

namespace fs = std::filesystem;

// Syncs a file or folder.
absl::Status Sync(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return FileError("file " + path, errno);
  const int result = fsync(descriptor);
  const int error = errno;
  close(descriptor);
  return result == 0 ? absl::OkStatus() : FileError("file " + path, error);
}

absl::Status ExistsError(const std::string& path) {
  return absl::FailedPreconditionError("file " + path + " already exists");
}

std::string UnfinishedPath(const std::string& destination) {
  return destination + ".new-" + std::to_string(getpid());
}

void RemoveWithCompanions(const std::string& path) {
  for (const char* suffix : {"", "-journal", "-wal", "-shm"}) {
    std::remove((path + suffix).c_str());
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<UnfinishedFile>> UnfinishedFile::For(
    const std::string& destination) {
  const std::string path = UnfinishedPath(destination);
  for (const std::string& taken : {destination, path}) {
    std::error_code error;
    if (fs::exists(taken, error)) return ExistsError(taken);
  }
  return std::unique_ptr<UnfinishedFile>(new UnfinishedFile(path, destination));
}

void UnfinishedFile::RemoveLeftOver(const std::string& destination) {
  RemoveWithCompanions(UnfinishedPath(destination));
}

UnfinishedFile::~UnfinishedFile() { RemoveWithCompanions(path_); }

absl::Status UnfinishedFile::Finish() {
  TOKENUSAGE_RETURN_IF_ERROR(Sync(path_));
  int result = renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD,
                         destination_.c_str(), RENAME_NOREPLACE);
  // Not every file system supports this: NFS, for example, does not.
  if (result != 0 && errno == EINVAL) {
    result = std::rename(path_.c_str(), destination_.c_str());
  }
  if (result != 0) {
    return errno == EEXIST ? ExistsError(destination_)
                           : FileError("file " + destination_, errno);
  }
  return Sync(fs::path(destination_).parent_path().string());
}

}  // namespace tokenusage
