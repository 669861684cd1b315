// SPDX-License-Identifier: Apache-2.0

#include "tests/client/support/memory_file_system.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "tokenusage/base/file.h"

namespace tokenusage::testing {

class MemoryFile : public File {
 public:
  MemoryFile(MemoryFileSystem* files, std::string path,
             std::shared_ptr<MemoryFileSystem::Node> node, bool is_lock)
      : files_(files),
        path_(std::move(path)),
        node_(std::move(node)),
        process_(files->process_),
        is_lock_(is_lock) {}

  ~MemoryFile() override {
    const std::lock_guard lock(files_->mutex_);
    if (is_lock_ && IsOpen()) files_->locks_.erase(path_);
  }

  absl::StatusOr<std::int64_t> Size() override {
    const std::lock_guard lock(files_->mutex_);
    if (!IsOpen()) return Error(EBADF);
    return static_cast<std::int64_t>(node_->content.size());
  }

  absl::Status ReadAt(std::int64_t offset, std::size_t size,
                      std::string* content) override {
    const std::lock_guard lock(files_->mutex_);
    if (!IsOpen()) return Error(EBADF);
    const auto start = static_cast<std::size_t>(offset);
    content->clear();
    if (start < node_->content.size()) {
      *content = node_->content.substr(start, size);
    }
    return absl::OkStatus();
  }

  absl::Status WriteAt(std::int64_t offset, std::string_view content) override {
    const std::lock_guard lock(files_->mutex_);
    if (!IsOpen()) return Error(EBADF);
    const auto start = static_cast<std::size_t>(offset);
    const std::size_t end = start + content.size();
    const std::size_t old_size = node_->content.size();
    int error = 0;
    if (files_->FailsNow()) error = EIO;
    if (end > old_size &&
        files_->UsedBytes() + static_cast<std::int64_t>(end - old_size) >
            files_->capacity_) {
      error = ENOSPC;
    }
    // A write that fails may be done in part.
    if (error != 0) content = content.substr(0, content.size() / 2);
    if (error == ENOSPC && start + content.size() > old_size) content = "";
    if (start + content.size() > node_->content.size()) {
      node_->content.resize(start + content.size());
    }
    node_->content.replace(start, content.size(), content);
    return error == 0 ? absl::OkStatus() : Error(error);
  }

  absl::Status Truncate(std::int64_t size) override {
    const std::lock_guard lock(files_->mutex_);
    if (!IsOpen()) return Error(EBADF);
    node_->content.resize(static_cast<std::size_t>(size));
    return absl::OkStatus();
  }

  absl::Status Sync() override {
    const std::lock_guard lock(files_->mutex_);
    if (!IsOpen()) return Error(EBADF);
    if (files_->FailsNow()) return Error(EIO);
    node_->synced = node_->content;
    return absl::OkStatus();
  }

 private:
  bool IsOpen() const { return process_ == files_->process_; }
  absl::Status Error(int error) const {
    return FileError("file " + path_, error);
  }

  MemoryFileSystem* const files_;
  const std::string path_;
  const std::shared_ptr<MemoryFileSystem::Node> node_;
  const int process_;
  const bool is_lock_;
};

bool MemoryFileSystem::FailsNow() {
  return std::bernoulli_distribution(failures_)(random_);
}

std::int64_t MemoryFileSystem::UsedBytes() const {
  std::int64_t bytes = 0;
  for (const auto& [path, node] : nodes_) {
    bytes += static_cast<std::int64_t>(node->content.size());
  }
  return bytes;
}

absl::Status MemoryFileSystem::CreateFolder(const std::string& path) {
  const std::lock_guard lock(mutex_);
  folders_.insert(path);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> MemoryFileSystem::List(
    const std::string& folder) {
  const std::lock_guard lock(mutex_);
  if (folders_.count(folder) == 0) return FileError(folder, ENOENT);
  std::vector<std::string> names;
  for (const auto& [path, node] : nodes_) {
    if (path.compare(0, folder.size() + 1, folder + "/") == 0) {
      names.push_back(path.substr(folder.size() + 1));
    }
  }
  return names;
}

absl::StatusOr<std::unique_ptr<File>> MemoryFileSystem::Open(
    const std::string& path, OpenMode mode) {
  const std::lock_guard lock(mutex_);
  auto found = nodes_.find(path);
  if (found == nodes_.end()) {
    if (mode != OpenMode::kCreate) return FileError("file " + path, ENOENT);
    if (UsedBytes() >= capacity_) return FileError("file " + path, ENOSPC);
    found = nodes_.emplace(path, std::make_shared<Node>()).first;
  }
  return std::make_unique<MemoryFile>(this, path, found->second, false);
}

absl::Status MemoryFileSystem::Remove(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (nodes_.erase(path) == 0) return FileError("file " + path, ENOENT);
  return absl::OkStatus();
}

absl::Status MemoryFileSystem::SyncFolder(const std::string& folder) {
  const std::lock_guard lock(mutex_);
  if (FailsNow()) return FileError(folder, EIO);
  const std::size_t end = folder.rfind("/..");
  if (end != std::string::npos && end + 3 == folder.size()) {
    synced_folders_ = folders_;
  } else {
    synced_names_ = nodes_;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<File>> MemoryFileSystem::Lock(
    const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (!locks_.insert(path).second) {
    return absl::FailedPreconditionError("file " + path +
                                         " is locked by another owner");
  }
  auto& node = nodes_[path];
  if (node == nullptr) node = std::make_shared<Node>();
  return std::make_unique<MemoryFile>(this, path, node, true);
}

void MemoryFileSystem::RemoveAll() {
  KillProcess();
  const std::lock_guard lock(mutex_);
  nodes_.clear();
  synced_names_.clear();
  folders_.clear();
  synced_folders_.clear();
}

void MemoryFileSystem::KillProcess() {
  const std::lock_guard lock(mutex_);
  ++process_;
  locks_.clear();
}

// Keeps a random part of the bytes that were written after the last sync: a
// number of the first ones, some blocks of which still have their old content.
void MemoryFileSystem::LoseUnsynced(Node* node) {
  constexpr std::size_t kBlock = 512;
  std::string after = node->synced;
  std::size_t size = node->content.size();
  if (size > after.size()) {
    size = std::uniform_int_distribution(after.size(), size)(random_);
  }
  after.resize(size);
  for (std::size_t start = 0; start < size; start += kBlock) {
    const std::size_t length = std::min(kBlock, size - start);
    if (std::bernoulli_distribution(0.7)(random_)) {
      after.replace(start, length, node->content, start, length);
    }
  }
  node->content = node->synced = after;
}

// Forgets folders whose names were not synced, with everything in them.
void MemoryFileSystem::LoseUnsyncedFolders() {
  for (const std::string& folder : std::set<std::string>(folders_)) {
    if (synced_folders_.count(folder) > 0) continue;
    if (std::bernoulli_distribution(0.5)(random_)) continue;
    folders_.erase(folder);
    for (auto* names : {&nodes_, &synced_names_}) {
      names->erase(names->lower_bound(folder + "/"),
                   names->lower_bound(folder + "0"));  // follows '/'
    }
  }
  synced_folders_ = folders_;
}

void MemoryFileSystem::LosePower() {
  KillProcess();
  const std::lock_guard lock(mutex_);
  LoseUnsyncedFolders();
  std::map<std::string, std::shared_ptr<Node>> kept;
  for (const auto& [path, node] : nodes_) {
    const bool has_synced_name = synced_names_.count(path) > 0;
    if (has_synced_name || std::bernoulli_distribution(0.5)(random_)) {
      kept.emplace(path, node);
    }
  }
  // A file that was removed may be there again.
  for (const auto& [path, node] : synced_names_) {
    if (std::bernoulli_distribution(0.5)(random_)) kept.emplace(path, node);
  }
  nodes_ = kept;
  for (const auto& [path, node] : nodes_) LoseUnsynced(node.get());
  synced_names_ = nodes_;
}

void MemoryFileSystem::SetCapacity(std::int64_t bytes) {
  const std::lock_guard lock(mutex_);
  capacity_ = bytes;
}

void MemoryFileSystem::SetFailures(double probability) {
  const std::lock_guard lock(mutex_);
  failures_ = probability;
}

std::string MemoryFileSystem::Content(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  const auto found = nodes_.find(path);
  return found == nodes_.end() ? "" : found->second->content;
}

void MemoryFileSystem::SetContent(const std::string& path,
                                  const std::string& content) {
  const std::lock_guard lock(mutex_);
  auto& node = nodes_[path];
  if (node == nullptr) node = std::make_shared<Node>();
  node->content = node->synced = content;
}

std::vector<std::string> MemoryFileSystem::Paths() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> paths;
  for (const auto& [path, node] : nodes_) paths.push_back(path);
  return paths;
}

}  // namespace tokenusage::testing
