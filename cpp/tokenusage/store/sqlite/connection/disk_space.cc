// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/sqlite/connection/disk_space.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "tokenusage/base/file.h"

namespace tokenusage {
namespace {

constexpr std::size_t kBytes = 1 << 20;

// Returns 0 or an errno.
int WriteAndSync(int file) {
  const std::string block(64 << 10, 'x');
  for (std::size_t written = 0; written < kBytes;) {
    const ssize_t size = write(file, block.data(), block.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return errno;
    written += static_cast<std::size_t>(size);
  }
  return fsync(file) == 0 ? 0 : errno;
}

}  // namespace

absl::Status CheckDiskSpace(const std::string& path) {
  std::string folder = std::filesystem::path(path).parent_path().string();
  if (folder.empty()) folder = ".";
  const int file = open(folder.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
  // File systems and kernels without unnamed files return these.
  if (file < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
    return absl::OkStatus();
  }
  const int error = file < 0 ? errno : WriteAndSync(file);
  if (file >= 0) close(file);
  if (error == 0) return absl::OkStatus();
  return FileError(absl::StrCat("a file of 1 MiB in ", folder), error);
}

}  // namespace tokenusage
