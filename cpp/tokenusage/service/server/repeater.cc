// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/server/repeater.h"

#include <utility>

namespace tokenusage {

Repeater::Repeater(std::function<absl::Duration()> job)
    : job_(std::move(job)), thread_([this] { Run(); }) {}

Repeater::~Repeater() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void Repeater::Wake() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    woken_ = true;
  }
  changed_.notify_one();
}

bool Repeater::ending() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return ending_;
}

void Repeater::Run() {
  const auto is_over = [this] { return woken_ || ending_; };
  std::unique_lock<std::mutex> lock(mutex_);
  while (!ending_) {
    lock.unlock();
    const absl::Duration delay = job_();
    lock.lock();
    if (delay == absl::InfiniteDuration()) {
      changed_.wait(lock, is_over);
    } else {
      changed_.wait_for(lock, absl::ToChronoNanoseconds(delay), is_over);
    }
    woken_ = false;
  }
}

}  // namespace tokenusage
