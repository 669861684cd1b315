// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/server/health_monitor.h"

#include <algorithm>
#include <utility>

namespace tokenusage {
namespace {

constexpr int kMaxQuiet = 64;  // intervals
constexpr int kRelapse = 300;  // intervals

}  // namespace

HealthMonitor::HealthMonitor(UsageStore* store, absl::Duration interval,
                             std::function<void(const HealthChange&)> on_change,
                             std::function<absl::Time()> now)
    : store_(store),
      interval_(interval),
      on_change_(std::move(on_change)),
      now_(std::move(now)),
      quiet_(interval) {}

bool HealthMonitor::OnStoreFailure(const absl::Status& status) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (absl::IsDataLoss(status)) damaged_ = true;
  last_failure_ = now_();
  if (failures_++ > 0) return false;
  cause_ = status;
  return true;
}

absl::Duration HealthMonitor::Step() {
  std::unique_lock<std::mutex> lock(mutex_);
  if (failures_ == 0) return absl::InfiniteDuration();
  if (!reported_) {
    reported_ = true;
    quiet_ = now_() - recovery_ < kRelapse * interval_
                 ? std::min(2 * quiet_, kMaxQuiet * interval_)
                 : interval_;
    const HealthChange failed{false, cause_, failures_};
    lock.unlock();
    on_change_(failed);
    return interval_;
  }
  if (damaged_) return absl::InfiniteDuration();
  lock.unlock();
  const bool writable = store_->CheckWritable().ok();
  lock.lock();
  // A failure of a caller counts more than the answer.
  if (!writable || now_() - last_failure_ < quiet_) return interval_;
  recovery_ = now_();
  reported_ = false;
  const HealthChange recovered{true, absl::OkStatus(),
                               std::exchange(failures_, 0)};
  lock.unlock();
  on_change_(recovered);
  return absl::InfiniteDuration();
}

}  // namespace tokenusage
