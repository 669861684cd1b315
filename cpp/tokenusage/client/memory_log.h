// SPDX-License-Identifier: Apache-2.0

// Keeps records in memory.

#ifndef TOKENUSAGE_CLIENT_MEMORY_LOG_H_
#define TOKENUSAGE_CLIENT_MEMORY_LOG_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <utility>

#include "tokenusage/client/record_log.h"

namespace tokenusage {

// Gathers records in the batches that will be sent.
class MemoryLog : public RecordLog {
 public:
  explicit MemoryLog(const BatchLimits& limits) : limits_(limits) {}

  absl::Status Append(EncodedRecord* record) override;
  absl::Status Sync() override { return absl::OkStatus(); }
  // The limits are those of the constructor.
  absl::StatusOr<Batch> Read(const BatchLimits& limits) override;
  absl::Status Discard(std::uint64_t last) override;
  std::uint64_t last_appended() const override { return last_appended_; }
  std::uint64_t last_read() const override { return last_read_; }
  std::int64_t bytes() const override { return bytes_; }

 private:
  const BatchLimits limits_;
  std::mutex mutex_;
  std::deque<Batch> unread_;  // guarded by mutex_, as is read_
  std::deque<std::pair<std::uint64_t, std::int64_t>> read_;  // last, bytes
  std::atomic<std::uint64_t> last_appended_{0};
  std::atomic<std::uint64_t> last_read_{0};
  std::atomic<std::int64_t> bytes_{0};
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLIENT_MEMORY_LOG_H_
