// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/client/backlog.h"

#include <algorithm>

#include "tokenusage/base/status_macros.h"

namespace tokenusage {
namespace {

// Locks, but spins first: an append holds the lock for about a microsecond, and
// sleeping and waking up takes several.
std::unique_lock<std::mutex> SpinAndLock(std::mutex* mutex) {
  constexpr int kMaxSpins = 200;
  for (int i = 0; i < kMaxSpins; ++i) {
    std::unique_lock lock(*mutex, std::try_to_lock);
    if (lock.owns_lock()) return lock;
#ifdef __x86_64__
    __builtin_ia32_pause();
#endif
  }
  return std::unique_lock(*mutex);
}

}  // namespace

Backlog::Backlog(const BacklogOptions& options, std::unique_ptr<RecordLog> log,
                 Clock* clock)
    : options_(options),
      log_(std::move(log)),
      clock_(clock),
      unread_bytes_(log_->bytes()),
      unread_since_(clock->Uptime()),
      finished_(log_->last_read()) {}

bool Backlog::HasRoomFor(std::int64_t bytes, bool is_synced) const {
  return log_->bytes() + bytes <= options_.max_bytes &&
         (!is_synced || unsynced_.size() < options_.max_unsynced);
}

bool Backlog::IsBatchFull() const {
  return log_->last_appended() - log_->last_read() >=
             static_cast<std::uint64_t>(options_.batch.max_records) ||
         unread_bytes_ >= static_cast<std::int64_t>(options_.batch.max_bytes);
}

absl::Status Backlog::Append(
    EncodedRecord* record, absl::Duration timeout,
    std::function<void(const absl::Status&)> on_synced) {
  log_->Prepare(record);
  const auto bytes = static_cast<std::int64_t>(record->bytes.size());
  const auto has_room = [&] { return HasRoomFor(bytes, on_synced != nullptr); };
  std::unique_lock lock = SpinAndLock(&mutex_);
  if (!has_room() && timeout > absl::ZeroDuration()) {
    clock_->WaitUntil(&has_room_, &lock, timeout,
                      [&] { return !accepts_records_ || has_room(); });
  }
  if (!accepts_records_) {
    return absl::CancelledError("the reporter was stopped");
  }
  if (!has_room()) {
    return absl::ResourceExhaustedError("the reporter is full");
  }
  const bool was_unread = IsUnread();
  TOKENUSAGE_RETURN_IF_ERROR(log_->Append(record));
  unread_bytes_ += static_cast<std::int64_t>(record->record().size());
  if (!was_unread) unread_since_ = clock_->Uptime();
  if (!was_unread || IsBatchFull()) readable_.notify_one();
  if (on_synced) {
    unsynced_.push_back(std::move(on_synced));
    sync_wanted_.notify_one();
  }
  return absl::OkStatus();
}

absl::Status Backlog::WaitForBatch() {
  std::unique_lock lock(mutex_);
  while (true) {
    if (is_closed_) return absl::CancelledError("the reporter was stopped");
    absl::Duration wait = absl::InfiniteDuration();
    if (IsUnread()) {
      wait = unread_since_ + options_.max_batch_age - clock_->Uptime();
      if (flush_count_ > 0 || IsBatchFull() || wait <= absl::ZeroDuration()) {
        return absl::OkStatus();
      }
    }
    clock_->Wait(&readable_, &lock, wait);
  }
}

absl::StatusOr<Batch> Backlog::Take() {
  const std::lock_guard taking(take_mutex_);
  TOKENUSAGE_RETURN_IF_ERROR(WaitForBatch());
  TOKENUSAGE_ASSIGN_OR_RETURN(Batch batch, log_->Read(options_.batch));
  const std::lock_guard lock(mutex_);
  taken_.emplace_back(batch.last, false);
  const auto bytes = static_cast<std::int64_t>(batch.records.size());
  unread_bytes_ =
      IsUnread() ? std::max<std::int64_t>(0, unread_bytes_ - bytes) : 0;
  unread_since_ = clock_->Uptime();
  return batch;
}

bool Backlog::IsOldestLocked(const Batch& batch) const {
  return taken_.empty() || taken_.front().first >= batch.last;
}

bool Backlog::IsOldest(const Batch& batch) const {
  const std::lock_guard lock(mutex_);
  return IsOldestLocked(batch);
}

bool Backlog::WaitUntilOldest(const Batch& batch) {
  std::unique_lock lock(mutex_);
  while (!is_closed_ && !IsOldestLocked(batch)) {
    clock_->Wait(&finished_changed_, &lock, absl::InfiniteDuration());
  }
  return !is_closed_;
}

absl::Status Backlog::Finish(const Batch& batch) {
  const std::lock_guard finishing(finish_mutex_);
  std::uint64_t last = 0;
  {
    const std::lock_guard lock(mutex_);
    for (auto& [taken_last, is_finished] : taken_) {
      if (taken_last == batch.last) is_finished = true;
    }
    while (!taken_.empty() && taken_.front().second) {
      last = taken_.front().first;
      taken_.pop_front();
    }
  }
  if (last == 0) return absl::OkStatus();
  const absl::Status status = log_->Discard(last);
  const std::lock_guard lock(mutex_);
  finished_ = last;
  has_room_.notify_all();
  finished_changed_.notify_all();
  return status;
}

bool Backlog::Flush(absl::Duration timeout) {
  std::unique_lock lock(mutex_);
  const std::uint64_t last = log_->last_appended();
  ++flush_count_;
  readable_.notify_all();
  const bool is_flushed =
      clock_->WaitUntil(&finished_changed_, &lock, timeout,
                        [&] { return is_closed_ || finished_ >= last; }) &&
      finished_ >= last;
  --flush_count_;
  return is_flushed;
}

void Backlog::RunSyncs() {
  std::unique_lock lock(mutex_);
  while (true) {
    while (unsynced_.empty() && !is_closed_) {
      clock_->Wait(&sync_wanted_, &lock, absl::InfiniteDuration());
    }
    if (unsynced_.empty()) return;
    // One sync serves all callbacks that came during the previous one.
    auto callbacks = std::exchange(unsynced_, {});
    has_room_.notify_all();
    lock.unlock();
    const absl::Status status = log_->Sync();
    if (!status.ok()) {
      // The records that came meanwhile may be lost, too, and the next sync
      // would not say so: the system reports a failed write once.
      lock.lock();
      callbacks.insert(callbacks.end(), unsynced_.begin(), unsynced_.end());
      unsynced_.clear();
      lock.unlock();
    }
    for (const auto& on_synced : callbacks) on_synced(status);
    lock.lock();
  }
}

void Backlog::StopAppends() {
  const std::lock_guard lock(mutex_);
  accepts_records_ = false;
  has_room_.notify_all();
}

void Backlog::Close() {
  StopAppends();
  const std::lock_guard lock(mutex_);
  is_closed_ = true;
  readable_.notify_all();
  finished_changed_.notify_all();
  sync_wanted_.notify_all();
}

std::int64_t Backlog::record_count() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::int64_t>(log_->last_appended() - finished_);
}

}  // namespace tokenusage
