// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/server/health_monitor.h"

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"

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
    last_failure_ = absl::Now();
    if (absl::IsDataLoss(status)) damaged_ = true;
  }
  changed_.notify_one();
}

void HealthMonitor::Run() {
  constexpr int kMaxQuiet = 64;
  constexpr int kRelapse = 300;
  absl::Duration quiet = interval_;
  absl::Time recovery = absl::InfinitePast();
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return closing_ || failures_ > 0; });
    if (closing_) return;
    quiet = absl::Now() - recovery < kRelapse * interval_
                ? std::min(2 * quiet, kMaxQuiet * interval_)
                : interval_;
    const HealthChange failed{false, cause_, failures_};
    lock.unlock();
    on_change_(failed);
    lock.lock();
    for (bool is_writable = false;
         !is_writable || absl::Now() - last_failure_ < quiet;) {
      if (!Pause(&lock)) return;
      lock.unlock();
      const bool took_write = store_->CheckWritable().ok();
      lock.lock();
      is_writable = took_write && !damaged_;
    }
    recovery = absl::Now();
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
