// SPDX-License-Identifier: Apache-2.0

// The only way into a store: records that keep every rule of
// tokenusage/v1/usage_record.proto that can be checked without a store.
//
//   auto batch = std::make_shared<CheckedBatch>();
//   auto* request =
//       v1::ReportUsageRequest::default_instance().New(batch->arena());
//   ...  // parse the request
//   batch->Check(request->mutable_records(), absl::Now());
//   for (const v1::RecordError& error : batch->errors()) Refuse(error);
//   for (const CheckedRecord& record : *batch) Count(record.counts());
//
// Stores take a CheckedBatch and nothing else, so no count that is negative,
// infinite or not a number can reach a sum.

#ifndef TOKENUSAGE_RECORD_CHECKED_RECORD_H_
#define TOKENUSAGE_RECORD_CHECKED_RECORD_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "google/protobuf/arena.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "tokenusage/record/record_counts.h"
#include "tokenusage/record/record_rules.h"
#include "tokenusage/v1/usage_record.pb.h"
#include "tokenusage/v1/usage_reporting_service.pb.h"

namespace tokenusage {

class CheckedBatch;

// A record that keeps the rules, with what stores need to know about it. A view
// into its batch, which must outlive it. Thread-safe.
class CheckedRecord {
 public:
  // Returns the record as it was reported, without the fields that are output
  // only; that of a copy has `corrected_by`.
  const v1::UsageRecord& record() const { return *record_; }

  // Returns the record's position in the request, from 0.
  int index() const { return index_; }

  // Returns event_time in nanoseconds since 1970-01-01T00:00:00Z.
  std::int64_t event_time_nanos() const { return event_time_nanos_; }

  // Returns whether event_time is more than kMaxEventTimeAhead after the batch
  // was received. Stores refuse such a record unless it is stored already.
  bool too_far_ahead() const { return too_far_ahead_; }

  // Returns whether the record's batch is from CheckedBatch::CopyOf.
  bool is_copy() const;

  // Returns the record's counts: see CountRecord.
  UsageCounts counts() const;
  bool inconsistent() const { return inconsistent_; }

  // Serializes the record with receive_time set, for storing. Includes unknown
  // fields.
  std::string bytes() const;

  // Does the same, reusing the memory of `bytes`.
  void SerializeTo(std::string* bytes) const;

  // Returns a copy of the record with receive_time set.
  v1::UsageRecord stored_record() const;

 private:
  friend class CheckedBatch;
  CheckedRecord(CheckedBatch* batch, const v1::UsageRecord& record,
                const UsageCounts& counts, int index);

  const CheckedBatch* batch_;
  const v1::UsageRecord* record_;
  std::int64_t event_time_nanos_;
  // The counts, kept small: counting again would take longer than copying.
  MeasureSet measures_;
  const Amount* amounts_;  // in the batch's arena; in the order of measures_
  int index_;
  bool inconsistent_;
  bool too_far_ahead_;
};

// The records of one request, checked in place, and their memory. Filled by one
// thread; thread-safe afterwards.
class CheckedBatch {
 public:
  // Expects a request of about `expected_bytes` when serialized.
  explicit CheckedBatch(std::size_t expected_bytes = 0);

  CheckedBatch(const CheckedBatch&) = delete;
  CheckedBatch& operator=(const CheckedBatch&) = delete;

  // Returns a batch of copies of the records.
  static std::shared_ptr<const CheckedBatch> Of(
      const std::vector<v1::UsageRecord>& records, absl::Time receive_time);

  // Returns a batch of copies of records that another store has, with their
  // `corrected_by`. Only for PostgresStore, which stores each as it is, even if
  // the record that it corrects is missing or already corrected.
  static std::shared_ptr<const CheckedBatch> CopyOf(
      const std::vector<v1::UsageRecord>& records, absl::Time receive_time);

  // Returns the arena to create the request in, so that it lives as long as the
  // batch.
  ::google::protobuf::Arena* arena() { return &arena_; }

  // Checks the records, which must be in the arena or outlive the batch, and
  // must not change afterwards. Clears the fields that are output only. An
  // event_time that is too far ahead is noted, but is no error here, since the
  // record is a duplicate if it is stored already. Must be called once.
  void Check(::google::protobuf::RepeatedPtrField<v1::UsageRecord>* records,
             absl::Time receive_time);

  // Return the records that keep the rules, in their order.
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  const CheckedRecord& operator[](std::size_t i) const { return records_[i]; }
  const CheckedRecord* begin() const { return records_; }
  const CheckedRecord* end() const { return records_ + size_; }

  // Returns the first violation of each of the other records, by rising index.
  const std::vector<v1::RecordError>& errors() const { return errors_; }

  // Returns the time at which the records were received.
  absl::Time receive_time() const { return receive_time_; }

  // Returns the approximate size of the batch's memory in bytes.
  std::int64_t memory_bytes() const {
    return static_cast<std::int64_t>(arena_.SpaceAllocated());
  }

 private:
  friend class CheckedRecord;

  static std::shared_ptr<const CheckedBatch> Of(
      const std::vector<v1::UsageRecord>& records, absl::Time receive_time,
      bool is_copy);

  // Returns memory of the arena for objects that need no destructor.
  template <typename T>
  T* Allocate(std::size_t size);
  Amount* AllocateAmounts(std::size_t size);

  ::google::protobuf::Arena arena_;
  bool is_copy_ = false;
  absl::Time receive_time_;
  std::int64_t latest_event_nanos_ = 0;  // a later event is too far ahead
  // receive_time as a serialized field of a record.
  std::string receive_time_field_;
  CheckedRecord* records_ = nullptr;  // in the arena
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
  Amount* next_amount_ = nullptr;  // in the arena
  std::size_t free_amounts_ = 0;   // from next_amount_ on
  std::vector<v1::RecordError> errors_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_RECORD_CHECKED_RECORD_H_
