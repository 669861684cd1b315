// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/client/file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "tokenusage/base/file.h"
#include "tokenusage/base/status_macros.h"

namespace tokenusage {
namespace {

class RealFile : public File {
 public:
  RealFile(std::string path, int descriptor)
      : path_(std::move(path)), descriptor_(descriptor) {}
  ~RealFile() override {
    // A forked child may hold a copy of the descriptor, and with it the lock.
    if (is_locked_) flock(descriptor_, LOCK_UN);
    close(descriptor_);
  }

  absl::StatusOr<std::int64_t> Size() override {
    struct stat stat;
    if (fstat(descriptor_, &stat) != 0) return Error();
    return stat.st_size;
  }

  absl::Status ReadAt(std::int64_t offset, std::size_t size,
                      std::string* content) override {
    content->resize(size);
    std::size_t done = 0;
    while (done < size) {
      const ssize_t count = pread(descriptor_, &(*content)[done], size - done,
                                  offset + static_cast<off_t>(done));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return Error();
      if (count == 0) break;
      done += static_cast<std::size_t>(count);
    }
    content->resize(done);
    return absl::OkStatus();
  }

  absl::Status WriteAt(std::int64_t offset, std::string_view content) override {
    while (!content.empty()) {
      const ssize_t count =
          pwrite(descriptor_, content.data(), content.size(), offset);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return Error();
      content.remove_prefix(static_cast<std::size_t>(count));
      offset += count;
    }
    return absl::OkStatus();
  }

  absl::Status Truncate(std::int64_t size) override {
    return ftruncate(descriptor_, size) == 0 ? absl::OkStatus() : Error();
  }

  absl::Status Sync() override {
    return fdatasync(descriptor_) == 0 ? absl::OkStatus() : Error();
  }

  absl::Status Lock() {
    is_locked_ = flock(descriptor_, LOCK_EX | LOCK_NB) == 0;
    if (is_locked_) return absl::OkStatus();
    if (errno != EWOULDBLOCK) return Error();
    return absl::FailedPreconditionError("file " + path_ +
                                         " is locked by another owner");
  }

 private:
  absl::Status Error() const { return FileError("file " + path_, errno); }

  const std::string path_;
  const int descriptor_;
  bool is_locked_ = false;
};

class RealFileSystem : public FileSystem {
 public:
  absl::Status CreateFolder(const std::string& path) override {
    if (mkdir(path.c_str(), S_IRWXU) == 0 || errno == EEXIST) {
      return absl::OkStatus();
    }
    return FileError("folder " + path, errno);
  }

  absl::StatusOr<std::vector<std::string>> List(
      const std::string& folder) override {
    DIR* const stream = opendir(folder.c_str());
    if (stream == nullptr) return FileError("folder " + folder, errno);
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = readdir(stream))
      names.push_back(entry->d_name);
    const int error = errno;
    closedir(stream);
    if (error != 0) return FileError("folder " + folder, error);
    return names;
  }

  absl::StatusOr<std::unique_ptr<File>> Open(const std::string& path,
                                             OpenMode mode) override {
    return OpenReal(path, mode);
  }

  absl::Status Remove(const std::string& path) override {
    if (unlink(path.c_str()) == 0) return absl::OkStatus();
    return FileError("file " + path, errno);
  }

  absl::Status SyncFolder(const std::string& folder) override {
    TOKENUSAGE_ASSIGN_OR_RETURN(const std::unique_ptr<RealFile> file,
                                OpenReal(folder, OpenMode::kRead));
    return file->Sync();
  }

  absl::StatusOr<std::unique_ptr<File>> Lock(const std::string& path) override {
    TOKENUSAGE_ASSIGN_OR_RETURN(std::unique_ptr<RealFile> file,
                                OpenReal(path, OpenMode::kCreate));
    TOKENUSAGE_RETURN_IF_ERROR(file->Lock());
    return file;
  }

 private:
  static absl::StatusOr<std::unique_ptr<RealFile>> OpenReal(
      const std::string& path, OpenMode mode) {
    const int access = mode == OpenMode::kRead ? O_RDONLY : O_RDWR;
    const int create = mode == OpenMode::kCreate ? O_CREAT : 0;
    const int descriptor =
        open(path.c_str(), access | create | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (descriptor < 0) return FileError("file " + path, errno);
    return std::make_unique<RealFile>(path, descriptor);
  }
};

}  // namespace

FileSystem* FileSystem::Real() {
  static RealFileSystem* const files = new RealFileSystem;
  return files;
}

}  // namespace tokenusage
