// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/sqlite/connection/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "absl/status/status.h"
#include "tokenusage/base/file.h"
#include "tokenusage/base/status_macros.h"

namespace tokenusage {
namespace {

// Describes the holder, which wrote its process id.
std::string HolderOf(int descriptor) {
  char text[24];
  const ssize_t size = pread(descriptor, text, sizeof(text), 0);
  std::string holder;
  for (ssize_t i = 0; i < size && text[i] >= '0' && text[i] <= '9'; ++i) {
    holder += text[i];
  }
  return holder.empty() ? "another process" : "process " + holder;
}

void WriteProcessId(int descriptor) {
  const std::string text = std::to_string(getpid()) + "\n";
  // For messages only: the lock works without it.
  if (ftruncate(descriptor, 0) != 0) return;
  if (pwrite(descriptor, text.data(), text.size(), 0) < 0) return;
}

absl::Status TryLock(const std::string& path, int descriptor) {
  if (flock(descriptor, LOCK_EX | LOCK_NB) == 0) return absl::OkStatus();
  if (errno != EWOULDBLOCK) return FileError("lock file " + path, errno);
  return absl::FailedPreconditionError("lock file " + path + " is held by " +
                                       HolderOf(descriptor) +
                                       ", which has the database open");
}

}  // namespace

absl::StatusOr<std::unique_ptr<FileLock>> FileLock::Acquire(
    const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor < 0) return FileError("lock file " + path, errno);
  std::unique_ptr<FileLock> lock(new FileLock(descriptor));
  TOKENUSAGE_RETURN_IF_ERROR(TryLock(path, descriptor));
  WriteProcessId(descriptor);
  return lock;
}

absl::Status FileLock::CheckFree(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (descriptor < 0) return absl::OkStatus();
  const FileLock lock(descriptor);
  return TryLock(path, descriptor);
}

FileLock::~FileLock() { close(descriptor_); }

}  // namespace tokenusage
