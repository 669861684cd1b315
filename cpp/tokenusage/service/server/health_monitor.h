// SPDX-License-Identifier: Apache-2.0

// Tells whether the store works: it does until it fails, and again once it
// takes writes and no call has failed for a while.
//
//   HealthMonitor monitor(store, absl::Seconds(1), [](const HealthChange& c) {
//     SetServingStatus(c.healthy);
//   });
//   ...
//   monitor.OnStoreFailure(status);

#ifndef TOKENUSAGE_SERVICE_SERVER_HEALTH_MONITOR_H_
#define TOKENUSAGE_SERVICE_SERVER_HEALTH_MONITOR_H_

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "tokenusage/store/usage_store.h"

namespace tokenusage {

struct HealthChange {
  bool healthy = true;
  absl::Status cause;         // of the failure; OK where the store recovered
  std::int64_t failures = 0;  // where it recovered: how often it had failed
};

// A store that was found damaged stays unhealthy: what else is damaged shows
// only when it is read.
//
// The while starts with the interval, and doubles, up to 64 intervals, each
// time that the store fails again within 300 intervals of its recovery. So a
// store that takes the monitor's small write and fails its callers does not
// look healthy between two calls. Thread-safe.
class HealthMonitor {
 public:
  // Asks an unhealthy store each `interval` whether it takes writes.
  // `on_change` is called by one thread of the monitor's own, in order; it must
  // not call the monitor. `store` must outlive the monitor.
  HealthMonitor(UsageStore* store, absl::Duration interval,
                std::function<void(const HealthChange&)> on_change);
  ~HealthMonitor();

  HealthMonitor(const HealthMonitor&) = delete;
  HealthMonitor& operator=(const HealthMonitor&) = delete;

  // A call to the store failed: UNAVAILABLE, DATA_LOSS and the like. Does not
  // block.
  void OnStoreFailure(const absl::Status& status);

 private:
  void Run();
  // Waits for the interval's end; false where the monitor closes.
  bool Pause(std::unique_lock<std::mutex>* lock);

  UsageStore* const store_;
  const absl::Duration interval_;
  const std::function<void(const HealthChange&)> on_change_;

  std::mutex mutex_;
  std::condition_variable changed_;
  absl::Status cause_;         // the first failure since it was healthy
  std::int64_t failures_ = 0;  // since it was healthy
  absl::Time last_failure_ = absl::InfinitePast();
  bool damaged_ = false;
  bool closing_ = false;

  std::thread thread_;  // last: it uses all of the above
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_SERVER_HEALTH_MONITOR_H_
