// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/server/admission_budget.h"

namespace tokenusage {

AdmissionBudget::Share::~Share() {
  if (budget_ != nullptr) budget_->Release(*this);
}

bool AdmissionBudget::Share::TryAssign(const std::string& project,
                                       std::function<void()> retry) {
  const std::lock_guard<std::mutex> lock(budget_->mutex_);
  std::int64_t& has = budget_->by_project_[project];
  // This share's bytes count as free: they are not the project's yet.
  const std::int64_t free = budget_->max_bytes_ - budget_->taken_ + bytes_;
  if (has > 0 && has + bytes_ > free) {
    if (retry) budget_->waiting_.push_back(std::move(retry));
    return false;
  }
  has += bytes_;
  project_ = project;
  return true;
}

void AdmissionBudget::Share::GrowTo(std::int64_t bytes) {
  if (bytes <= bytes_) return;
  const std::lock_guard<std::mutex> lock(budget_->mutex_);
  budget_->taken_ += bytes - bytes_;
  if (!project_.empty()) budget_->by_project_[project_] += bytes - bytes_;
  bytes_ = bytes;
}

std::optional<AdmissionBudget::Share> AdmissionBudget::TryTake(
    std::int64_t bytes, std::function<void()> retry) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (taken_ > 0 && taken_ + bytes > max_bytes_) {
    if (retry) waiting_.push_back(std::move(retry));
    return std::nullopt;
  }
  taken_ += bytes;
  ++shares_;
  return Share(this, bytes);
}

std::int64_t AdmissionBudget::taken() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return taken_;
}

void AdmissionBudget::Release(const Share& share) {
  std::vector<std::function<void()>> waiting;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    taken_ -= share.bytes_;
    if (!share.project_.empty()) {
      const auto has = by_project_.find(share.project_);
      has->second -= share.bytes_;
      if (has->second == 0) by_project_.erase(has);
    }
    waiting.swap(waiting_);
  }
  for (const auto& retry : waiting) retry();
  const std::lock_guard<std::mutex> lock(mutex_);
  // Under the lock: after it the budget may be destroyed.
  if (--shares_ == 0) returned_.notify_all();
}

void AdmissionBudget::AwaitReturn() {
  std::unique_lock<std::mutex> lock(mutex_);
  returned_.wait(lock, [this] { return shares_ == 0; });
}

}  // namespace tokenusage
