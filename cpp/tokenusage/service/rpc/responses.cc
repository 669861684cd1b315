// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/rpc/responses.h"

#include <cstddef>
#include <utility>

#include "absl/strings/str_cat.h"
#include "google/protobuf/message.h"
#include "tokenusage/base/excerpt.h"
#include "tokenusage/base/proto_time.h"
#include "tokenusage/record/record_counts.h"
#include "tokenusage/record/usage_totals.h"

namespace tokenusage {
namespace {

// Holds "labels." and the longest key.
constexpr std::size_t kMaxFieldChars = 128;

v1::RecordError ErrorOf(const CheckedRecord& record,
                        const AppendOutcome& outcome) {
  v1::RecordError error;
  error.set_index(record.index());
  error.set_record_id(record.record().record_id());
  switch (outcome.kind) {
    case AppendOutcome::kStored:
    case AppendOutcome::kDuplicate:
      break;
    case AppendOutcome::kConflict:
      error.set_reason(v1::RECORD_ERROR_REASON_RECORD_ID_CONFLICT);
      error.set_field("record_id");
      error.set_message(absl::StrCat(
          "expected a new id or the same content, found a stored record with "
          "this id that differs in ",
          Excerpt(outcome.differing_field, kMaxFieldChars)));
      break;
    case AppendOutcome::kTooFarAhead:
      error.set_reason(v1::RECORD_ERROR_REASON_TIME_OUT_OF_RANGE);
      error.set_field("event_time");
      error.set_message(
          "expected at most 5 minutes after the server's clock, "
          "found a later time");
      break;
    case AppendOutcome::kBeforeHorizon:
      error.set_reason(v1::RECORD_ERROR_REASON_BEFORE_HORIZON);
      error.set_field("event_time");
      error.set_message(
          "expected a time whose records are still kept, found an earlier one: "
          "the record may be counted already");
      break;
    case AppendOutcome::kCorrectedRecordNotFound:
      error.set_reason(v1::RECORD_ERROR_REASON_CORRECTED_RECORD_NOT_FOUND);
      error.set_field("corrects");
      error.set_message(absl::StrCat(
          "expected the id of a stored record, found \"",
          Excerpt(record.record().corrects()),
          "\": report that record first, then send this one again"));
      break;
    case AppendOutcome::kAlreadyCorrected:
      error.set_reason(v1::RECORD_ERROR_REASON_ALREADY_CORRECTED);
      error.set_field("corrects");
      error.set_message(absl::StrCat(
          "expected a record that is not corrected, found one that \"",
          Excerpt(outcome.corrected_by), "\" corrects: correct that one"));
      break;
    case AppendOutcome::kCardinalityLimit:
      error.set_reason(v1::RECORD_ERROR_REASON_CARDINALITY_LIMIT);
      error.set_message(
          "operation, provider, model, rollup labels: expected values that the "
          "project has together already, since it is at its limit, found new "
          "ones");
      break;
  }
  return error;
}

}  // namespace

void AddOutcome(const CheckedRecord& record, const AppendOutcome& outcome,
                v1::ReportUsageResponse* response) {
  if (outcome.kind == AppendOutcome::kStored) {
    response->set_stored_count(response->stored_count() + 1);
    return;
  }
  if (outcome.kind == AppendOutcome::kDuplicate) {
    response->set_duplicate_count(response->duplicate_count() + 1);
    return;
  }
  *response->add_errors() = ErrorOf(record, outcome);
}

v1::UsageRow ToUsageRow(
    const UsageQueryRow& row,
    const ::google::protobuf::RepeatedPtrField<std::string>& group_by) {
  v1::UsageRow result;
  *result.mutable_bucket_start_time() =
      TimestampFromNanos(row.bucket.start_nanos);
  *result.mutable_bucket_end_time() = TimestampFromNanos(row.bucket.end_nanos);
  for (int i = 0; i < group_by.size(); ++i) {
    v1::GroupValue* group = result.add_group();
    group->set_field(group_by[i]);
    const auto& value = row.key[static_cast<std::size_t>(i)];
    if (value) group->set_value(*value);
  }
  *result.mutable_totals() = ToUsageTotals(row.sum);
  return result;
}

v1::Project ToProject(const StoredProject& project) {
  v1::Project result;
  result.set_name(project.name);
  if (project.horizon != absl::InfinitePast()) {
    *result.mutable_horizon_time() =
        TimestampFromNanos(absl::ToUnixNanos(project.horizon));
  }
  return result;
}

bool AddRecords(RecordPage page, v1::ListUsageRecordsResponse* response) {
  // A store bounds its pages, but does not know the inconsistencies.
  constexpr std::size_t kMaxBytes = 4'000'000;
  std::size_t bytes = 0;
  for (v1::UsageRecord& record : page.records) {
    SetInconsistencies(&record);
    bytes += record.ByteSizeLong();
    if (bytes > kMaxBytes && response->records_size() > 0) return false;
    *response->add_records() = std::move(record);
  }
  return !page.has_more;
}

}  // namespace tokenusage
