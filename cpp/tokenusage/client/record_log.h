// SPDX-License-Identifier: Apache-2.0

// The records that the service has not answered for yet, in the order in which
// they were reported: in memory, or in a spool.

#ifndef TOKENUSAGE_CLIENT_RECORD_LOG_H_
#define TOKENUSAGE_CLIENT_RECORD_LOG_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace tokenusage {

// Room for a header that a log may write, then a serialized record.
struct EncodedRecord {
  static constexpr std::size_t kHeaderBytes = 20;

  explicit EncodedRecord(std::string_view record = "")
      : bytes(kHeaderBytes, '\0') {
    bytes.append(record);
  }

  std::string_view record() const {
    return std::string_view(bytes).substr(kHeaderBytes);
  }

  std::string bytes;
};

// Records on their way to the service.
struct Batch {
  // The records, each serialized as the field `records` of a
  // ReportUsageRequest: a request is its project and these bytes.
  std::string records;
  int count = 0;
  // The sequence of the last record. Sequences count records from 1, and are
  // never used again.
  std::uint64_t last = 0;
};

// The limits of a batch.
struct BatchLimits {
  int max_records = 1000;
  std::size_t max_bytes = 1'000'000;
};

// Appends a serialized record.
void AppendRecord(std::string_view record, Batch* batch);

// Returns whether the batch can take a record of `record_bytes`. An empty batch
// takes any.
bool HasRoom(const Batch& batch, std::size_t record_bytes,
             const BatchLimits& limits);

// Returns the serialized records, as views into the batch.
std::vector<std::string_view> RecordsOf(const Batch& batch);

// Returns a serialized ReportUsageRequest.
std::string EncodeRequest(std::string_view project, const Batch& batch);

// A queue of records. Thread-safe, except that no two threads may append, or
// read, or discard at the same time.
class RecordLog {
 public:
  virtual ~RecordLog() = default;

  // Does the part of Append that does not depend on the record's sequence. Any
  // number of threads may call this at the same time.
  virtual void Prepare(EncodedRecord*) const {}

  // Appends a record that was prepared. May change its header.
  virtual absl::Status Append(EncodedRecord* record) = 0;

  // Makes all records that were appended survive a power failure.
  virtual absl::Status Sync() = 0;

  // Returns the next records; none if all were read.
  virtual absl::StatusOr<Batch> Read(const BatchLimits& limits) = 0;

  // Drops the records up to the sequence `last`.
  virtual absl::Status Discard(std::uint64_t last) = 0;

  // Return the sequences of the last record that was appended, and of the last
  // that was read.
  virtual std::uint64_t last_appended() const = 0;
  virtual std::uint64_t last_read() const = 0;

  // Returns the size of the log in bytes. A spool's includes dropped records
  // whose segment still exists.
  virtual std::int64_t bytes() const = 0;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLIENT_RECORD_LOG_H_
