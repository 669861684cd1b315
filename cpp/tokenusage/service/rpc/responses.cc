// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/rpc/responses.h"

#include <cstddef>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tokenusage/base/excerpt.h"
#include "tokenusage/base/proto_time.h"
#include "tokenusage/record/record_counts.h"
#include "tokenusage/record/usage_totals.h"

namespace tokenusage {
namespace {

// Holds "labels." and the longest key.
constexpr std::size_t kMaxFieldChars = 128;

}  // namespace

void AddOutcome(const CheckedRecord& record, const AppendOutcome& outcome,
                v1::ReportUsageResponse* response) {
  const auto add_error = [&](v1::RecordErrorReason reason, const char* field,
                             const std::string& message) {
    v1::RecordError& error = *response->add_errors();
    error.set_index(record.index());
    error.set_record_id(record.record().record_id());
    error.set_reason(reason);
    error.set_field(field);
    error.set_message(message);
  };
  switch (outcome.kind) {
    case AppendOutcome::kStored:
      return response->set_stored_count(response->stored_count() + 1);
    case AppendOutcome::kDuplicate:
      return response->set_duplicate_count(response->duplicate_count() + 1);
    case AppendOutcome::kConflict:
      return add_error(
          v1::RECORD_ERROR_REASON_RECORD_ID_CONFLICT, "record_id",
          absl::StrCat(
              "expected a new id or the same content, found a stored record "
              "with this id that differs in ",
              Excerpt(outcome.differing_field, kMaxFieldChars)));
    case AppendOutcome::kTooFarAhead:
      return add_error(
          v1::RECORD_ERROR_REASON_TIME_OUT_OF_RANGE, "event_time",
          "expected at most 5 minutes after the server's clock, found a later "
          "time");
    case AppendOutcome::kBeforeHorizon:
      return add_error(
          v1::RECORD_ERROR_REASON_BEFORE_HORIZON, "event_time",
          "expected a time whose records are still kept, found an earlier one: "
          "the record may be counted already");
    case AppendOutcome::kCorrectedRecordNotFound:
      return add_error(
          v1::RECORD_ERROR_REASON_CORRECTED_RECORD_NOT_FOUND, "corrects",
          absl::StrCat("expected the id of a stored record, found \"",
                       Excerpt(record.record().corrects()),
                       "\": report that record first, then send this one "
                       "again"));
    case AppendOutcome::kAlreadyCorrected:
      return add_error(
          v1::RECORD_ERROR_REASON_ALREADY_CORRECTED, "corrects",
          absl::StrCat(
              "expected a record that is not corrected, found one that \"",
              Excerpt(outcome.corrected_by), "\" corrects: correct that one"));
    case AppendOutcome::kCardinalityLimit:
      return add_error(
          v1::RECORD_ERROR_REASON_CARDINALITY_LIMIT, "",
          "operation, provider, model, rollup labels: expected values that the "
          "project has together already, since it is at its limit, found new "
          "ones");
  }
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
