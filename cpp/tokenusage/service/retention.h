// SPDX-License-Identifier: Apache-2.0

// Retention: removes old records while the service runs. Their totals stay.
//
//   RetentionThread::Events events;
//   events.on_error = [](const absl::Status& status) { std::cerr << status; };
//   const RetentionThread thread(store->maintenance(), absl::Hours(24 * 90),
//                                events);

#ifndef TOKENUSAGE_SERVICE_RETENTION_H_
#define TOKENUSAGE_SERVICE_RETENTION_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tokenusage/service/server/repeater.h"
#include "tokenusage/store/store_maintenance.h"

namespace tokenusage {

// Parses `90d` or `36h`, from 1 hour to 36,500 days.
//
// Errors: INVALID_ARGUMENT.
absl::StatusOr<absl::Duration> ParseRetention(const std::string& text);

// Returns the horizon if records are kept for `retain`: counted back from now
// or from the newest record, whichever is earlier, to a whole hour, so that a
// wrong clock cannot remove records that are new to their reporters. Returns
// nullopt if it would lie before 2000.
std::optional<absl::Time> RetentionHorizon(absl::Time now,
                                           absl::Time newest_record,
                                           absl::Duration retain);

// Moves the horizons of a store's projects. Not thread-safe.
class Retention {
 public:
  // The time, and the time since the machine started, which nobody can set.
  // Replaced by tests only.
  struct Clocks {
    std::function<absl::Time()> now;
    std::function<absl::Duration()> elapsed;
  };
  static Clocks SystemClocks();

  // `retain` is for projects that have no separate retention time; nullopt
  // keeps all of their records.
  Retention(StoreMaintenance* store, std::optional<absl::Duration> retain,
            Clocks clocks = SystemClocks());

  struct Outcome {
    std::int64_t record_count = 0;   // removed
    std::int64_t project_count = 0;  // that lost records
  };

  // Removes the records that each project no longer keeps, and moves its
  // horizon accordingly. Leaves the horizon of a project without such records.
  // Adds to `outcome`, also if an error is returned.
  //
  // Errors: those of StoreMaintenance, the first one after all other projects
  // have been handled; CANCELLED at once if `is_cancelled`; FAILED_PRECONDITION
  // if the clock was set forward by more than an hour since the constructor
  // ran: only a restart of the service confirms that the new time is right.
  absl::Status Run(const std::function<bool()>& is_cancelled, Outcome* outcome);

 private:
  // Returns the time before which a project's records are to be removed.
  absl::Time HorizonOf(const ProjectRetention& project) const;
  absl::Time Start() const { return clocks_.now() - clocks_.elapsed(); }

  StoreMaintenance& store_;
  const std::optional<absl::Duration> retain_;
  const Clocks clocks_;
  const absl::Time start_;  // of the machine, by the clock at construction
};

// Runs a Retention on a thread, at once and then every hour (after an error,
// every 5 minutes), until it is destroyed.
class RetentionThread {
 public:
  // Called from the thread.
  struct Events {
    std::function<void(const Retention::Outcome&)> on_removal =
        [](const Retention::Outcome&) {};
    std::function<void(const absl::Status&)> on_error =
        [](const absl::Status&) {};
  };

  RetentionThread(StoreMaintenance* store, std::optional<absl::Duration> retain,
                  Events events);

  RetentionThread(const RetentionThread&) = delete;
  RetentionThread& operator=(const RetentionThread&) = delete;

 private:
  absl::Duration Run();

  Retention retention_;
  const Events events_;
  Repeater thread_;  // last: it uses all of the above
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_RETENTION_H_
