// SPDX-License-Identifier: Apache-2.0

// Tracks whether the store works: it does until it fails, and again once it
// accepts writes and no call has failed for a while.
//
//   HealthMonitor monitor(store, absl::Seconds(1), [](const HealthChange& c) {
//     SetServingStatus(c.healthy);
//   });
//   Repeater thread([&] { return monitor.Step(); });
//   ...
//   if (monitor.OnStoreFailure(status)) thread.Wake();

#ifndef TOKENUSAGE_SERVICE_SERVER_HEALTH_MONITOR_H_
#define TOKENUSAGE_SERVICE_SERVER_HEALTH_MONITOR_H_

#include <cstdint>
#include <functional>
#include <mutex>

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tokenusage/store/usage_store.h"

namespace tokenusage {

struct HealthChange {
  bool healthy = true;
  absl::Status cause;         // of the failure; OK after a recovery
  std::int64_t failures = 0;  // since the store was last healthy
};

// The health of one store. A failed store is healthy again once it accepts
// writes and no call has failed for one interval. This time doubles, up to 64
// intervals, whenever the store fails again within 300 intervals of its
// recovery: a store that accepts the monitor's write and fails its callers must
// not look healthy between two calls.
//
// A damaged store stays unhealthy: other damage shows only when it is read.
//
// Thread-safe.
class HealthMonitor {
 public:
  // `on_change` is called by Step. `store` must outlive the monitor.
  HealthMonitor(UsageStore* store, absl::Duration interval,
                std::function<void(const HealthChange&)> on_change,
                std::function<absl::Time()> now = absl::Now);

  // Notes a failed call to the store: UNAVAILABLE, DATA_LOSS and the like.
  // Returns whether the store was healthy until then, so that Step is due. Does
  // not block.
  bool OnStoreFailure(const absl::Status& status);

  // Reports a change, or asks an unhealthy store whether it accepts writes.
  // Returns the time until it must be called again: `interval` while the store
  // is unhealthy and may recover; otherwise infinite, until OnStoreFailure
  // returns true. Only one thread may call it.
  absl::Duration Step();

 private:
  UsageStore* const store_;
  const absl::Duration interval_;
  const std::function<void(const HealthChange&)> on_change_;
  const std::function<absl::Time()> now_;

  std::mutex mutex_;           // guards all below
  bool reported_ = false;      // on_change_ knows of the failure
  absl::Status cause_;         // the first failure since it was healthy
  std::int64_t failures_ = 0;  // since it was healthy
  absl::Time last_failure_ = absl::InfinitePast();
  absl::Time recovery_ = absl::InfinitePast();
  absl::Duration quiet_;  // the time without failures before the next recovery
  bool damaged_ = false;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_SERVER_HEALTH_MONITOR_H_
