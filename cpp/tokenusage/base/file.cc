// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

#include "tokenusage/base/status_macros.h"

namespace tokenusage {
namespace {

// A descriptor that is closed at the end of its scope.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }

 private:
  const int number_;
};

absl::Status ErrorOf(const std::string& path, int error) {
  return FileError("file " + path, error);
}

// Writes a file, which is created with `mode` if it does not exist.
absl::Status Write(const std::string& path, int flags, mode_t mode,
                   std::string_view content, bool syncs = false) {
  const Descriptor file(
      open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flags, mode));
  if (file.number() < 0) return ErrorOf(path, errno);
  while (!content.empty()) {
    const ssize_t count = write(file.number(), content.data(), content.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return ErrorOf(path, errno);
    content.remove_prefix(static_cast<std::size_t>(count));
  }
  if (syncs && fsync(file.number()) != 0) return ErrorOf(path, errno);
  return absl::OkStatus();
}

// Gives a file the owner and mode of another.
absl::Status CopyOwner(const struct stat& from, const std::string& to) {
  if (chown(to.c_str(), from.st_uid, from.st_gid) != 0 ||
      chmod(to.c_str(), from.st_mode & 07777) != 0) {
    return ErrorOf(to, errno);
  }
  return absl::OkStatus();
}

// Syncs the folder that a file is in, and with it the file's name.
absl::Status SyncFolderOf(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string folder =
      slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const Descriptor file(open(folder.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.number() < 0 || fsync(file.number()) != 0) {
    return FileError("folder " + folder, errno);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status FileError(std::string_view what, int error) {
  const std::string message =
      std::string(what) + ": " + std::generic_category().message(error);
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return absl::NotFoundError(message);
    case EACCES:
    case EPERM:
    case EROFS:
      return absl::PermissionDeniedError(message);
    case EEXIST:
      return absl::AlreadyExistsError(message);
    case EISDIR:
    case ELOOP:
    case ENAMETOOLONG:
      return absl::FailedPreconditionError(message);
    default:
      return absl::UnavailableError(message);
  }
}

absl::StatusOr<std::string> ReadFile(const std::string& path,
                                     std::size_t max_bytes) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.number() < 0) return ErrorOf(path, errno);
  std::string content;
  char block[4096];
  for (;;) {
    const ssize_t count = read(file.number(), block, sizeof(block));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return ErrorOf(path, errno);
    if (count == 0) return content;
    content.append(block, static_cast<std::size_t>(count));
    if (content.size() > max_bytes) {
      return absl::FailedPreconditionError(
          "file " + path + ": expected at most " + std::to_string(max_bytes) +
          " bytes, found more");
    }
  }
}

absl::Status WriteFile(const std::string& path, std::string_view content) {
  return Write(path, O_TRUNC, 0666, content);
}

absl::Status WriteNewPrivateFile(const std::string& path,
                                 std::string_view content) {
  const std::string unfinished = path + ".new-" + std::to_string(getpid());
  // In a container, a process that was killed here may have had the same id.
  unlink(unfinished.c_str());
  absl::Status status = Write(unfinished, O_EXCL, S_IRUSR | S_IWUSR, content,
                              /*syncs=*/true);
  // Unlike rename, link does not replace a file.
  if (status.ok() && link(unfinished.c_str(), path.c_str()) != 0) {
    status = ErrorOf(path, errno);
  }
  unlink(unfinished.c_str());
  if (!status.ok()) return status;
  status = SyncFolderOf(path);
  if (!status.ok()) unlink(path.c_str());
  return status;
}

absl::Status ReplaceFile(const std::string& path, std::string_view content) {
  const std::string unfinished = path + ".new";
  // It exists if a call was killed, or as a link that must not be followed.
  if (unlink(unfinished.c_str()) != 0 && errno != ENOENT) {
    return ErrorOf(unfinished, errno);
  }
  struct stat replaced = {};
  const bool replaces = stat(path.c_str(), &replaced) == 0;
  // Private until it has the owner of what it replaces.
  absl::Status status = Write(unfinished, O_EXCL, replaces ? 0600 : 0666,
                              content, /*syncs=*/true);
  if (status.ok() && replaces) status = CopyOwner(replaced, unfinished);
  if (status.ok() && std::rename(unfinished.c_str(), path.c_str()) != 0) {
    status = ErrorOf(path, errno);
  }
  if (status.ok()) return SyncFolderOf(path);
  unlink(unfinished.c_str());
  return status;
}

}  // namespace tokenusage
