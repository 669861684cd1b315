// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/server/health_monitor.h"

#include <utility>

namespace tokenusage {

HealthMonitor::HealthMonitor(UsageStore* store, absl::Duration interval,
                             std::function<void(const HealthChange&)> on_change)
    : store_(store),
      interval_(interval),
      on_change_(std::move(on_change)),
      thread_([this] { Run(); }) {}

HealthMonitor::~HealthMonitor() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    closing_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void HealthMonitor::OnStoreFailure(const absl::Status& status) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (failures_++ == 0) cause_ = status;
    if (absl::IsDataLoss(status)) damaged_ = true;
  }
  changed_.notify_one();
}

void HealthMonitor::Run() {
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return closing_ || failures_ > 0; });
    if (closing_) return;
    const HealthChange failed{false, cause_, failures_};
    lock.unlock();
    on_change_(failed);
    lock.lock();
    for (std::int64_t seen = -1; failures_ != seen;) {
      // A failure while it was asked counts more than its answer.
      if (!Pause(&lock)) return;
      const std::int64_t before = failures_;
      if (damaged_) continue;
      lock.unlock();
      const bool writable = store_->CheckWritable().ok();
      lock.lock();
      if (writable) seen = before;
    }
    const HealthChange recovered{true, absl::OkStatus(), failures_};
    failures_ = 0;
    lock.unlock();
    on_change_(recovered);
    lock.lock();
  }
}

bool HealthMonitor::Pause(std::unique_lock<std::mutex>* lock) {
  changed_.wait_for(*lock, absl::ToChronoNanoseconds(interval_),
                    [this] { return closing_; });
  return !closing_;
}

}  // namespace tokenusage
