// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/rpc/responses.h"

#include <cstdint>
#include <optional>

#include "absl/strings/str_cat.h"
#include "tokenusage/base/proto_time.h"

namespace tokenusage {
namespace {

v1::RecordError ErrorOf(AppendOutcome outcome) {
  v1::RecordError error;
  switch (outcome) {
    case AppendOutcome::kStored:
    case AppendOutcome::kDuplicate:
      break;
    case AppendOutcome::kConflict:
      error.set_reason(v1::RECORD_ERROR_REASON_RECORD_ID_CONFLICT);
      error.set_field("record_id");
      error.set_message(
          "expected a new id or the same content, found a stored "
          "record with this id and different content");
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
    case AppendOutcome::kCardinalityLimit:
      error.set_reason(v1::RECORD_ERROR_REASON_CARDINALITY_LIMIT);
      error.set_message(absl::StrCat(
          "operation, provider, model: expected at most ", kMaxSeriesPerProject,
          " distinct combinations in a project, found one more"));
      break;
  }
  return error;
}

void SetTotal(const std::optional<TokenAmount>& amount,
              v1::TokenTotal* (v1::UsageTotals::*mutable_total)(),
              v1::UsageTotals* totals) {
  if (!amount) return;
  v1::TokenTotal* total = (totals->*mutable_total)();
  total->set_rounded(amount->ToDouble());
  total->set_exact(amount->ToDecimal());
}

}  // namespace

void AddOutcome(const CheckedRecord& record, AppendOutcome outcome,
                v1::ReportUsageResponse* response) {
  if (outcome == AppendOutcome::kStored) {
    response->set_stored_count(response->stored_count() + 1);
    return;
  }
  if (outcome == AppendOutcome::kDuplicate) {
    response->set_duplicate_count(response->duplicate_count() + 1);
    return;
  }
  v1::RecordError* error = response->add_errors();
  *error = ErrorOf(outcome);
  error->set_index(record.index());
  error->set_record_id(record.record().record_id());
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
  v1::UsageTotals* totals = result.mutable_totals();
  totals->set_record_count(row.sum.record_count);
  const TokenCounts& counts = row.sum.counts;
  using Totals = v1::UsageTotals;
  SetTotal(counts[TokenMeasure::kTotal], &Totals::mutable_total_tokens, totals);
  SetTotal(counts[TokenMeasure::kInput], &Totals::mutable_input_tokens, totals);
  SetTotal(counts[TokenMeasure::kOutput], &Totals::mutable_output_tokens,
           totals);
  SetTotal(counts[TokenMeasure::kInputText], &Totals::mutable_input_text_tokens,
           totals);
  SetTotal(counts[TokenMeasure::kInputImage],
           &Totals::mutable_input_image_tokens, totals);
  return result;
}

}  // namespace tokenusage
