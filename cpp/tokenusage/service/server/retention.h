// SPDX-License-Identifier: Apache-2.0

// `serve --retain`: removes old records while the service runs.
//
//   const RetentionThread thread(store->maintenance(), absl::Hours(24 * 90),
//                                {&LogRemoval, &LogError});

#ifndef TOKENUSAGE_SERVICE_SERVER_RETENTION_H_
#define TOKENUSAGE_SERVICE_SERVER_RETENTION_H_

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tokenusage/store/store_maintenance.h"

namespace tokenusage {

// The value of --retain: `90d` or `36h`, from 1 hour to 36,500 days.
// INVALID_ARGUMENT, naming the flag, for others.
absl::StatusOr<absl::Duration> ParseRetention(const std::string& text);

// Where the horizon is to be, when records are kept for `retain`: counted back
// from now or from the newest record, whichever is earlier, to a whole hour. A
// clock that is wrong cannot remove what is new to its reporters. Empty where
// it would lie before 2000.
std::optional<absl::Time> RetentionHorizon(absl::Time now,
                                           absl::Time newest_record,
                                           absl::Duration retain);

// Moves a store's horizon. Not thread-safe.
class Retention {
 public:
  // For tests: the time, and the time since the machine started, which nobody
  // sets.
  struct Clocks {
    std::function<absl::Time()> now;
    std::function<absl::Duration()> elapsed;
  };
  static Clocks SystemClocks();

  Retention(StoreMaintenance* store, absl::Duration retain,
            Clocks clocks = SystemClocks());

  struct Outcome {
    std::int64_t record_count = 0;  // removed
    absl::Time horizon;
  };

  // Moves the horizon to where it is to be now, and removes the records before
  // it, until `is_cancelled`.
  //
  // Errors: those of StoreMaintenance; FAILED_PRECONDITION where the clock was
  // set forward by more than an hour since this was made: only a restart of the
  // service says that the new time is right.
  absl::StatusOr<Outcome> Run(const std::function<bool()>& is_cancelled);

 private:
  absl::Time Start() const { return clocks_.now() - clocks_.elapsed(); }

  StoreMaintenance& store_;
  const absl::Duration retain_;
  const Clocks clocks_;
  const absl::Time start_;  // of the machine, by the clock as it was
};

// Runs a Retention at once and then with every hour, until it is destroyed.
class RetentionThread {
 public:
  // Called from the thread.
  struct Events {
    std::function<void(const Retention::Outcome&)> on_removal;
    std::function<void(const absl::Status&)> on_error;
  };

  RetentionThread(StoreMaintenance* store, absl::Duration retain,
                  Events events);
  ~RetentionThread();

  RetentionThread(const RetentionThread&) = delete;
  RetentionThread& operator=(const RetentionThread&) = delete;

 private:
  void Loop();
  bool IsEnding();

  Retention retention_;
  const Events events_;
  std::mutex mutex_;
  std::condition_variable ending_changed_;
  bool ending_ = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_SERVER_RETENTION_H_
