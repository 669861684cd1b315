// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/record/checked_record.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>

#include "tokenusage/base/proto_time.h"
#include "tokenusage/record/arena_blocks.h"

namespace tokenusage {
namespace {

// A checked request takes five to seven times its serialized size, and a small
// one a little more. With this factor, a small one fits into the arena's first
// block.
constexpr std::size_t kArenaBytesPerByte = 10;

// Serializes receive_time as a field of a record.
std::string ReceiveTimeField(absl::Time time) {
  constexpr int kLengthDelimited = 2;
  const std::string value = TimestampFromTime(time).SerializeAsString();
  std::string field;
  field += static_cast<char>(v1::UsageRecord::kReceiveTimeFieldNumber << 3 |
                             kLengthDelimited);
  field += static_cast<char>(value.size());  // at most 17
  return field += value;
}

}  // namespace

// Uses the arena, whose blocks are reused: heap memory of this size may be
// returned to the system each time, which takes as long as all checks.
template <typename T>
T* CheckedBatch::Allocate(std::size_t size) {
  static_assert(std::is_trivially_destructible_v<T>);
  std::size_t space = size * sizeof(T) + alignof(T);
  void* memory = ::google::protobuf::Arena::CreateArray<char>(&arena_, space);
  return static_cast<T*>(
      std::align(alignof(T), size * sizeof(T), memory, space));
}

// Allocates for many records at once: most have as many amounts as this one.
Amount* CheckedBatch::AllocateAmounts(std::size_t size) {
  constexpr std::size_t kMaxAtOnce = 64;
  if (size > free_amounts_) {
    free_amounts_ = size * std::min(capacity_ - size_, kMaxAtOnce);
    next_amount_ = Allocate<Amount>(free_amounts_);
  }
  free_amounts_ -= size;
  return std::exchange(next_amount_, next_amount_ + size);
}

// -------------------------------------------------------------- CheckedRecord

CheckedRecord::CheckedRecord(CheckedBatch* batch, const v1::UsageRecord& record,
                             const UsageCounts& counts, int index)
    : batch_(batch),
      record_(&record),
      event_time_nanos_(NanosFromTimestamp(record.event_time())),
      measures_(counts.measures()),
      index_(index),
      inconsistent_(counts.inconsistent()),
      too_far_ahead_(event_time_nanos_ > batch->latest_event_nanos_) {
  Amount* amount = batch->AllocateAmounts(measures_.size());
  amounts_ = amount;
  counts.ForEach([&amount](v1::UsageMeasure, Amount count) {
    new (amount++) Amount(count);
  });
}

bool CheckedRecord::is_copy() const { return batch_->is_copy_; }

UsageCounts CheckedRecord::counts() const {
  UsageCounts counts;
  const Amount* amount = amounts_;
  measures_.ForEach(
      [&](v1::UsageMeasure measure) { counts.Set(measure, *amount++); });
  if (inconsistent_) counts.set_inconsistent();
  if (record_->has_usage_unknown()) counts.set_unknown();
  return counts;
}

std::string CheckedRecord::bytes() const {
  std::string bytes;
  SerializeTo(&bytes);
  return bytes;
}

void CheckedRecord::SerializeTo(std::string* bytes) const {
  // Fields of a message may come in any order, so the field that all records of
  // the batch share is appended.
  const std::string& shared = batch_->receive_time_field_;
  const std::size_t own_size = record_->ByteSizeLong();
  bytes->resize(own_size + shared.size());
  static_cast<void>(record_->SerializeWithCachedSizesToArray(
      reinterpret_cast<std::uint8_t*>(bytes->data())));
  std::memcpy(bytes->data() + own_size, shared.data(), shared.size());
}

v1::UsageRecord CheckedRecord::stored_record() const {
  v1::UsageRecord record = *record_;
  *record.mutable_receive_time() = TimestampFromTime(batch_->receive_time_);
  return record;
}

// --------------------------------------------------------------- CheckedBatch

CheckedBatch::CheckedBatch(std::size_t expected_bytes)
    : arena_(ReusingArena(kArenaBytesPerByte * expected_bytes)) {}

std::shared_ptr<const CheckedBatch> CheckedBatch::Of(
    const std::vector<v1::UsageRecord>& records, absl::Time receive_time) {
  return Of(records, receive_time, /*is_copy=*/false);
}

std::shared_ptr<const CheckedBatch> CheckedBatch::CopyOf(
    const std::vector<v1::UsageRecord>& records, absl::Time receive_time) {
  return Of(records, receive_time, /*is_copy=*/true);
}

std::shared_ptr<const CheckedBatch> CheckedBatch::Of(
    const std::vector<v1::UsageRecord>& records, absl::Time receive_time,
    bool is_copy) {
  auto batch = std::make_shared<CheckedBatch>();
  batch->is_copy_ = is_copy;
  auto* request =
      v1::ReportUsageRequest::default_instance().New(batch->arena());
  for (const v1::UsageRecord& record : records) {
    *request->add_records() = record;
  }
  batch->Check(request->mutable_records(), receive_time);
  return batch;
}

void CheckedBatch::Check(
    ::google::protobuf::RepeatedPtrField<v1::UsageRecord>* records,
    absl::Time receive_time) {
  receive_time_ = receive_time;
  latest_event_nanos_ = absl::ToUnixNanos(receive_time + kMaxEventTimeAhead);
  receive_time_field_ = ReceiveTimeField(receive_time);
  capacity_ = static_cast<std::size_t>(records->size());
  records_ = Allocate<CheckedRecord>(capacity_);
  for (int i = 0; i < records->size(); ++i) {
    v1::UsageRecord* record = records->Mutable(i);
    const UsageCounts counts = CountRecord(*record);
    if (std::optional<v1::RecordError> error = CheckRecord(*record, counts)) {
      error->set_index(i);
      errors_.push_back(*std::move(error));
      continue;
    }
    record->clear_receive_time();  // with its unknown fields
    record->clear_inconsistencies();
    if (!is_copy_) record->clear_corrected_by();
    new (records_ + size_) CheckedRecord(this, *record, counts, i);
    ++size_;
  }
}

}  // namespace tokenusage
