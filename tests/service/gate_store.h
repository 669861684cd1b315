// SPDX-License-Identifier: Apache-2.0

// A store in memory whose appends wait until they are let through, to test what
// happens in the meantime.

#ifndef TOKENUSAGE_TESTS_SERVICE_GATE_STORE_H_
#define TOKENUSAGE_TESTS_SERVICE_GATE_STORE_H_

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "tokenusage/store/deadline.h"
#include "tokenusage/store/memory_store.h"
#include "tokenusage/store/usage_store.h"

namespace tokenusage::testing {

// Thread-safe. Every append must be let through before the store is destroyed.
class GateStore final : public UsageStore {
 public:
  void AppendAsync(std::string project,
                   std::shared_ptr<const CheckedBatch> batch, CallLimits limits,
                   AppendCallback done) override {
    std::unique_lock<std::mutex> lock(mutex_);
    waiting_.push_back({limits, [this, project, batch, limits, done] {
                          memory_->AppendAsync(project, batch, limits, done);
                        }});
    ++seen_;
    changed_.notify_all();
    if (!open_) return;
    lock.unlock();
    LetThrough();
  }

  // A query for the project "slow" waits until the gate opens, or until its
  // deadline; one for "broken" fails.
  absl::StatusOr<UsageQueryPage> Query(const UsageQuery& query) override {
    const std::string& project = query.projects.at(0);
    if (project == "broken") return absl::UnavailableError("broken");
    if (project == "slow") {
      std::unique_lock<std::mutex> lock(mutex_);
      const auto deadline = absl::ToChronoTime(query.limits.deadline);
      if (!changed_.wait_until(lock, deadline, [&] { return open_; })) {
        return absl::DeadlineExceededError("slow");
      }
    }
    return memory_->Query(query);
  }
  absl::StatusOr<v1::UsageRecord> GetRecord(
      std::string_view project, std::string_view record_id) override {
    return memory_->GetRecord(project, record_id);
  }
  absl::StatusOr<RecordPage> ListRecords(const RecordQuery& query) override {
    return memory_->ListRecords(query);
  }
  absl::StatusOr<std::vector<StoredProject>> ListProjects(
      const CallLimits& limits) override {
    return memory_->ListProjects(limits);
  }

  // Waits for `count` appends.
  void Await(std::size_t count) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return seen_ >= count; });
  }

  // Returns the deadline of the first waiting append.
  absl::Time FirstDeadline() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return waiting_.front().limits.deadline;
  }

  // Waits until the first waiting append reaches its limits. The call may end
  // earlier for its caller, who started to wait earlier.
  void AwaitLimits() {
    std::unique_lock<std::mutex> lock(mutex_);
    while (CheckLimits(waiting_.front().limits, absl::Now()).ok()) {
      changed_.wait_for(lock, std::chrono::milliseconds(5));
    }
  }

  // Returns the number of appends so far.
  std::size_t seen() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return seen_;
  }

  // Lets all waiting appends through. Open() also lets all later ones through,
  // and slow queries.
  void LetThrough() {
    std::unique_lock<std::mutex> lock(mutex_);
    while (!waiting_.empty()) {
      const std::function<void()> append = std::move(waiting_.front().append);
      waiting_.pop_front();
      lock.unlock();
      append();
      lock.lock();
    }
  }
  void Open() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      open_ = true;
      changed_.notify_all();
    }
    LetThrough();
  }

 private:
  struct Waiting {
    CallLimits limits;
    std::function<void()> append;
  };

  const std::unique_ptr<UsageStore> memory_ = NewMemoryStore();
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Waiting> waiting_;
  std::size_t seen_ = 0;
  bool open_ = false;
};

}  // namespace tokenusage::testing

#endif  // TOKENUSAGE_TESTS_SERVICE_GATE_STORE_H_
