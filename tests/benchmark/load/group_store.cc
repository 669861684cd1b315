// SPDX-License-Identifier: Apache-2.0

#include "tests/benchmark/load/group_store.h"

#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <thread>
#include <utility>

#include "tests/benchmark/load/bare_sqlite.h"

namespace tokenusage::load {
namespace {

void AddTo(BareWriter* writer,
           const std::vector<std::shared_ptr<const CheckedBatch>>& batches) {
  writer->Begin();
  for (const std::shared_ptr<const CheckedBatch>& batch : batches) {
    for (const CheckedRecord& record : *batch) writer->Add(record.record());
  }
  writer->Commit();
}

// Brings batches to SQLite in a thread of its own, once there are many.
class BackgroundWriter {
 public:
  explicit BackgroundWriter(const std::string& path)
      : writer_(path), thread_([this] { Run(); }) {}

  ~BackgroundWriter() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      closing_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  // Waits where the thread is far behind.
  void Add(const std::vector<std::shared_ptr<const CheckedBatch>>& batches) {
    {
      std::unique_lock<std::mutex> lock(mutex_);
      changed_.wait(lock, [this] { return waiting_.size() < kMost; });
      waiting_.insert(waiting_.end(), batches.begin(), batches.end());
      if (waiting_.size() < kMany) return;
    }
    changed_.notify_all();
  }

 private:
  static constexpr std::size_t kMany = 1000;
  static constexpr std::size_t kMost = 10'000;

  void Run() {
    for (;;) {
      std::vector<std::shared_ptr<const CheckedBatch>> batches;
      {
        std::unique_lock<std::mutex> lock(mutex_);
        changed_.wait(lock,
                      [this] { return closing_ || waiting_.size() >= kMany; });
        if (waiting_.empty()) return;
        batches.swap(waiting_);
      }
      changed_.notify_all();
      AddTo(&writer_, batches);
    }
  }

  BareWriter writer_;  // the thread's
  std::mutex mutex_;   // guards the next three
  std::condition_variable changed_;
  std::vector<std::shared_ptr<const CheckedBatch>> waiting_;
  bool closing_ = false;
  std::thread thread_;  // last: it uses all of the above
};

class GroupStore final : public UsageStore {
 public:
  explicit GroupStore(GroupWriter write)
      : write_(std::move(write)), thread_([this] { Run(); }) {}

  ~GroupStore() override {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      closing_ = true;
    }
    changed_.notify_one();
    thread_.join();
  }

  void AppendAsync(std::string, std::shared_ptr<const CheckedBatch> batch,
                   CallLimits, AppendCallback done) override {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      batches_.push_back(std::move(batch));
      callers_.push_back(std::move(done));
    }
    changed_.notify_one();
  }
  absl::StatusOr<UsageQueryPage> Query(const UsageQuery&) override {
    return UsageQueryPage();
  }
  absl::StatusOr<v1::UsageRecord> GetRecord(std::string_view,
                                            std::string_view) override {
    return absl::NotFoundError("nothing can be read");
  }
  absl::StatusOr<RecordPage> ListRecords(const RecordQuery&) override {
    return RecordPage();
  }

 private:
  void Run() {
    for (;;) {
      std::vector<std::shared_ptr<const CheckedBatch>> batches;
      std::vector<AppendCallback> callers;
      {
        std::unique_lock<std::mutex> lock(mutex_);
        changed_.wait(lock, [this] { return closing_ || !batches_.empty(); });
        if (batches_.empty()) return;
        batches.swap(batches_);
        callers.swap(callers_);
      }
      write_(batches);
      for (std::size_t i = 0; i < batches.size(); ++i) {
        callers[i](std::vector<AppendOutcome>(batches[i]->size(),
                                              AppendOutcome::kStored));
      }
    }
  }

  const GroupWriter write_;
  std::mutex mutex_;  // guards the next four
  std::condition_variable changed_;
  std::vector<std::shared_ptr<const CheckedBatch>> batches_;
  std::vector<AppendCallback> callers_;  // of batches_
  bool closing_ = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace

std::unique_ptr<UsageStore> NewGroupStore(GroupWriter write) {
  return std::make_unique<GroupStore>(std::move(write));
}

GroupWriter NewLogWriter(const std::string& path) {
  constexpr off_t kSize = 40'000'000;
  const int file = open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  return [file, end = off_t{0}, bytes = std::string(),
          record_bytes = std::string()](
             const std::vector<std::shared_ptr<const CheckedBatch>>&
                 batches) mutable {
    bytes.clear();
    for (const std::shared_ptr<const CheckedBatch>& batch : batches) {
      for (const CheckedRecord& record : *batch) {
        record.SerializeTo(&record_bytes);
        bytes += record_bytes;
      }
    }
    if (end > kSize) end = 0;
    const ssize_t written = pwrite(file, bytes.data(), bytes.size(), end);
    if (written != static_cast<ssize_t>(bytes.size()) || fdatasync(file) != 0) {
      std::perror("log");
      std::abort();
    }
    end += written;
  };
}

GroupWriter NewBareSqliteWriter(const std::string& path) {
  auto writer = std::make_shared<BareWriter>(path);
  return [writer](
             const std::vector<std::shared_ptr<const CheckedBatch>>& batches) {
    AddTo(writer.get(), batches);
  };
}

GroupWriter NewLogAheadWriter(const std::string& path) {
  auto behind = std::make_shared<BackgroundWriter>(path + ".db");
  return [behind, log = NewLogWriter(path)](
             const std::vector<std::shared_ptr<const CheckedBatch>>&
                 batches) mutable {
    log(batches);
    behind->Add(batches);
  };
}

}  // namespace tokenusage::load
