// SPDX-License-Identifier: Apache-2.0

#include "tests/support/records.h"

#include <cstdlib>
#include <iostream>

#include "tokenusage/base/proto_time.h"
#include "tokenusage/base/string_view.h"

namespace tokenusage::testing {

absl::Time Time(std::string_view rfc3339) {
  absl::Time time;
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, ToAbsl(rfc3339), &time, &error)) {
    std::cerr << rfc3339 << ": " << error << std::endl;
    std::abort();
  }
  return time;
}

std::int64_t Nanos(std::string_view rfc3339) {
  return absl::ToUnixNanos(Time(rfc3339));
}

absl::Time ReceiveTime() { return Time("2030-01-01T00:00:00Z"); }

v1::UsageRecord ValidRecord() {
  return ValidRecord("01982f7c-7b3a-7000-8000-00000000002a",
                     Nanos("2026-08-01T12:00:00.000000001Z"));
}

v1::UsageRecord ValidRecord(std::string_view record_id,
                            std::int64_t event_time_nanos) {
  v1::UsageRecord record;
  record.set_record_id(std::string(record_id));
  SetEventTime(event_time_nanos, &record);
  record.set_operation("images.edits");
  record.set_provider("openai");
  record.set_model("gpt-image-1");
  auto* usage = record.mutable_orq_images_edits();
  usage->set_total_tokens(8105.75);
  usage->set_input_tokens(7451.29);
  usage->set_output_tokens(1442.01);
  usage->mutable_input_tokens_details()->set_text_tokens(5727.82);
  usage->mutable_input_tokens_details()->set_image_tokens(1501.66);
  return record;
}

void SetEventTime(std::int64_t nanos, v1::UsageRecord* record) {
  *record->mutable_event_time() = TimestampFromNanos(nanos);
}

std::shared_ptr<const CheckedBatch> CheckedOf(
    const std::vector<v1::UsageRecord>& records, absl::Time receive_time) {
  auto batch = CheckedBatch::Of(records, receive_time);
  if (!batch->errors().empty()) {
    std::cerr << "not a valid record: " << batch->errors()[0].DebugString()
              << std::endl;
    std::abort();
  }
  return batch;
}

}  // namespace tokenusage::testing
