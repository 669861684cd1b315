// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/record/checked_record.h"

#include <cstring>
#include <optional>
#include <utility>

#include "tokenusage/base/proto_time.h"
#include "tokenusage/record/arena_blocks.h"

namespace tokenusage {
namespace {

// A parsed request takes about this many times its serialized size.
constexpr std::size_t kArenaBytesPerByte = 3;

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

// -------------------------------------------------------------- CheckedRecord

CheckedRecord::CheckedRecord(CheckedBatch* batch, const v1::UsageRecord& record,
                             const UsageCounts& counts, int index)
    : batch_(batch),
      record_(&record),
      event_time_nanos_(NanosFromTimestamp(record.event_time())),
      measures_(counts.measures()),
      first_amount_(batch->amounts_.size()),
      index_(index),
      inconsistent_(counts.inconsistent()),
      too_far_ahead_(event_time_nanos_ > batch->latest_event_nanos_) {
  counts.ForEach([batch](v1::UsageMeasure, Amount amount) {
    batch->amounts_.push_back(amount);
  });
}

bool CheckedRecord::is_copy() const { return batch_->is_copy_; }

UsageCounts CheckedRecord::counts() const {
  UsageCounts counts;
  const Amount* amount = batch_->amounts_.data() + first_amount_;
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
  constexpr std::size_t kUsualMeasures = 12;
  const auto size = static_cast<std::size_t>(records->size());
  records_.reserve(size);
  amounts_.reserve(kUsualMeasures * size);
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
    records_.push_back(CheckedRecord(this, *record, counts, i));
  }
}

std::int64_t CheckedBatch::memory_bytes() const {
  return static_cast<std::int64_t>(arena_.SpaceAllocated() +
                                   records_.capacity() * sizeof(CheckedRecord) +
                                   amounts_.capacity() * sizeof(Amount));
}

}  // namespace tokenusage
