// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/client/memory_log.h"

#include <string_view>

namespace tokenusage {

absl::Status MemoryLog::Append(EncodedRecord* encoded) {
  const std::string_view record = encoded->record();
  const std::lock_guard lock(mutex_);
  if (unread_.empty() || !HasRoom(unread_.back(), record.size(), limits_)) {
    unread_.emplace_back();
  }
  Batch& batch = unread_.back();
  const std::size_t before = batch.records.size();
  AppendRecord(record, &batch);
  batch.last = ++last_appended_;
  bytes_ += static_cast<std::int64_t>(batch.records.size() - before);
  return absl::OkStatus();
}

absl::StatusOr<Batch> MemoryLog::Read(const BatchLimits&) {
  const std::lock_guard lock(mutex_);
  if (unread_.empty()) return Batch();
  Batch batch = std::move(unread_.front());
  unread_.pop_front();
  last_read_ = batch.last;
  read_.emplace_back(batch.last,
                     static_cast<std::int64_t>(batch.records.size()));
  return batch;
}

absl::Status MemoryLog::Discard(std::uint64_t last) {
  const std::lock_guard lock(mutex_);
  while (!read_.empty() && read_.front().first <= last) {
    bytes_ -= read_.front().second;
    read_.pop_front();
  }
  return absl::OkStatus();
}

}  // namespace tokenusage
