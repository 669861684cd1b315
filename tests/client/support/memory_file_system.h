// SPDX-License-Identifier: Apache-2.0

// A file system in memory that fails as a test tells it to.
//
//   MemoryFileSystem files;
//   options.files = &files;
//   ...
//   files.LosePower();  // what was not synced may be gone
//
// A power failure, or KillProcess, also ends the process that uses the files:
// calls on its open files fail, and its locks are free.

#ifndef TOKENUSAGE_TESTS_CLIENT_SUPPORT_MEMORY_FILE_SYSTEM_H_
#define TOKENUSAGE_TESTS_CLIENT_SUPPORT_MEMORY_FILE_SYSTEM_H_

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "tokenusage/client/file_system.h"

namespace tokenusage::testing {

class MemoryFileSystem : public FileSystem {
 public:
  explicit MemoryFileSystem(std::uint64_t seed = 1) : random_(seed) {}

  absl::Status CreateFolder(const std::string& path) override;
  absl::StatusOr<std::vector<std::string>> List(
      const std::string& folder) override;
  absl::StatusOr<std::unique_ptr<File>> Open(const std::string& path,
                                             OpenMode mode) override;
  absl::Status Remove(const std::string& path) override;
  absl::Status SyncFolder(const std::string& folder) override;
  absl::StatusOr<std::unique_ptr<File>> Lock(const std::string& path) override;

  // Removes all files and folders, and ends the process that uses them.
  void RemoveAll();

  // Ends the process that uses the files.
  void KillProcess();

  // Ends the process, and loses a random part of what was not synced: folders,
  // names, and the ends and parts of files.
  void LosePower();

  // Sets the capacity of the disk in bytes.
  void SetCapacity(std::int64_t bytes);

  // Makes each write and sync fail with this probability, from 0 to 1.
  void SetFailures(double probability);

  std::string Content(const std::string& path) const;
  void SetContent(const std::string& path, const std::string& content);
  std::vector<std::string> Paths() const;

 private:
  friend class MemoryFile;
  struct Node {
    std::string content;
    std::string synced;
  };

  // These four require mutex_ to be held.
  bool FailsNow();
  std::int64_t UsedBytes() const;
  void LoseUnsynced(Node* node);
  void LoseUnsyncedFolders();

  mutable std::mutex mutex_;
  std::mt19937_64 random_;
  std::map<std::string, std::shared_ptr<Node>> nodes_;
  std::map<std::string, std::shared_ptr<Node>> synced_names_;
  std::set<std::string> folders_;
  std::set<std::string> synced_folders_;
  std::set<std::string> locks_;
  int process_ = 0;  // files that an earlier process opened fail
  std::int64_t capacity_ = std::int64_t{1} << 40;
  double failures_ = 0;
};

}  // namespace tokenusage::testing

#endif  // TOKENUSAGE_TESTS_CLIENT_SUPPORT_MEMORY_FILE_SYSTEM_H_
