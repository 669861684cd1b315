// SPDX-License-Identifier: Apache-2.0

// Passes records from the threads that report them to those that send them:
// bounds their size, forms batches, and tracks which are answered.

#ifndef TOKENUSAGE_CLIENT_BACKLOG_H_
#define TOKENUSAGE_CLIENT_BACKLOG_H_

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tokenusage/client/clock.h"
#include "tokenusage/client/record_log.h"

namespace tokenusage {

struct BacklogOptions {
  BatchLimits batch;
  // The time that a record waits for others to fill its batch.
  absl::Duration max_batch_age;
  // The most bytes that the log may hold.
  std::int64_t max_bytes = 0;
  // The number of callbacks that may wait for a sync that has not begun.
  std::size_t max_unsynced = 65'536;
};

// A queue of the records that are not answered yet. Thread-safe.
class Backlog {
 public:
  Backlog(const BacklogOptions& options, std::unique_ptr<RecordLog> log,
          Clock* clock);

  // Appends an encoded record, and may change its header. Waits for room for
  // the record and for `on_synced`, but not longer than `timeout`. If
  // `on_synced` is given, RunSyncs calls it.
  //
  // Errors: RESOURCE_EXHAUSTED if there is no room; CANCELLED after
  // StopAppends; those of the log.
  absl::Status Append(EncodedRecord* record, absl::Duration timeout,
                      std::function<void(const absl::Status&)> on_synced);

  // Waits for a batch and returns it. It may be empty if records were lost.
  // Finish must be called with it, unless its outcome stays unknown.
  //
  // Errors: CANCELLED after Close; those of the log.
  absl::StatusOr<Batch> Take();

  // Returns whether all batches that were taken before this one are finished.
  bool IsOldest(const Batch& batch) const;

  // Waits until IsOldest returns true. Returns false after Close.
  bool WaitUntilOldest(const Batch& batch);

  // Drops a batch that was answered. Batches may be finished in any order.
  absl::Status Finish(const Batch& batch);

  // Waits until all records that were appended before are finished, but not
  // longer than `timeout`. Returns whether they are.
  bool Flush(absl::Duration timeout);

  // Syncs the log whenever callbacks wait for it; returns after Close.
  void RunSyncs();

  // Makes Append fail from now on.
  void StopAppends();

  // Makes Append fail from now on, and ends all waits.
  void Close();

  std::int64_t record_count() const;
  std::int64_t bytes() const { return log_->bytes(); }

 private:
  bool IsUnread() const { return log_->last_read() < log_->last_appended(); }
  bool IsBatchFull() const;
  bool HasRoomFor(std::int64_t bytes, bool is_synced) const;
  bool IsOldestLocked(const Batch& batch) const;
  absl::Status WaitForBatch();

  const BacklogOptions options_;
  const std::unique_ptr<RecordLog> log_;
  Clock* const clock_;

  std::mutex take_mutex_;    // held by Take
  std::mutex finish_mutex_;  // held by Finish

  mutable std::mutex mutex_;  // guards the members below
  std::condition_variable readable_;
  std::condition_variable has_room_;
  std::condition_variable finished_changed_;
  std::condition_variable sync_wanted_;
  bool accepts_records_ = true;
  bool is_closed_ = false;
  int flush_count_ = 0;            // calls of Flush in progress
  std::int64_t unread_bytes_ = 0;  // approximate
  absl::Duration unread_since_;    // if there are unread records
  std::uint64_t finished_ = 0;     // all records up to this one are finished
  std::deque<std::pair<std::uint64_t, bool>> taken_;  // last, is finished
  std::vector<std::function<void(const absl::Status&)>> unsynced_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLIENT_BACKLOG_H_
