// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/server/health_monitor.h"

#include <utility>

namespace tokenusage {

HealthMonitor::HealthMonitor(UsageStore* store, absl::Duration interval,
                             std::function<void(const HealthChange&)> on_change)
    : store_(store), interval_(interval), on_change_(std::move(on_change)) {}

bool HealthMonitor::OnStoreFailure(const absl::Status& status) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (absl::IsDataLoss(status)) damaged_ = true;
  if (failures_++ > 0) return false;
  cause_ = status;
  return true;
}

absl::Duration HealthMonitor::Step() {
  std::unique_lock<std::mutex> lock(mutex_);
  if (failures_ == 0) return absl::InfiniteDuration();
  if (!reported_) {
    reported_ = true;
    const HealthChange failed{false, cause_, failures_};
    lock.unlock();
    on_change_(failed);
    return interval_;
  }
  if (damaged_) return absl::InfiniteDuration();
  const std::int64_t before = failures_;
  lock.unlock();
  const bool writable = store_->CheckWritable().ok();
  lock.lock();
  // A failure during the check counts more than its answer.
  if (!writable || failures_ != before) return interval_;
  reported_ = false;
  const HealthChange recovered{true, absl::OkStatus(),
                               std::exchange(failures_, 0)};
  lock.unlock();
  on_change_(recovered);
  return absl::InfiniteDuration();
}

}  // namespace tokenusage
