// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/sqlite/connection/read_gate.h"

#include <chrono>

#include "tokenusage/base/status_macros.h"
#include "tokenusage/store/deadline.h"

namespace tokenusage {
namespace {

// The interval at which a waiting reader checks its limits.
constexpr auto kCheckInterval = std::chrono::milliseconds(50);

}  // namespace

absl::Status ReadGate::Enter(const CallLimits& limits) {
  std::unique_lock<std::mutex> lock(mutex_);
  while (closed_) {
    TOKENUSAGE_RETURN_IF_ERROR(CheckLimits(limits));
    changed_.wait_for(lock, kCheckInterval);
  }
  ++readers_;
  return absl::OkStatus();
}

void ReadGate::Leave() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (--readers_ > 0 || !closed_) return;
  }
  changed_.notify_all();
  if (on_empty_) on_empty_();
}

bool ReadGate::Close() {
  const std::lock_guard<std::mutex> lock(mutex_);
  closed_ = true;
  return readers_ == 0;
}

void ReadGate::Open() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    closed_ = false;
  }
  changed_.notify_all();
}

void ReadGate::AwaitEmpty() {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [this] { return readers_ == 0; });
}

}  // namespace tokenusage
