#include "tokenusage/cli/report_line.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/internal/report_envelope.pb.h"
#include "tokenusage/json/json.h"

namespace tokenusage {
namespace {

// Whether the record holds usage that is set, of any kind.
bool HasUsage(const v1::UsageRecord& record) {
  return record.usage_case() != v1::UsageRecord::USAGE_NOT_SET;
}

void CopyEnvelope(internal::ReportEnvelope&& envelope,
                  v1::UsageRecord* record) {
  record->set_record_id(std::move(*envelope.mutable_record_id()));
  if (envelope.has_event_time()) {
    *record->mutable_event_time() = envelope.event_time();
  }
  record->set_operation(std::move(*envelope.mutable_operation()));
  record->set_provider(std::move(*envelope.mutable_provider()));
  record->set_model(std::move(*envelope.mutable_model()));
  record->mutable_labels()->swap(*envelope.mutable_labels());
}

absl::Status ParseUsageLine(std::string_view line,
                            const google::protobuf::FieldDescriptor* field,
                            v1::UsageRecord* record) {
  internal::ReportEnvelope envelope;
  TOKENUSAGE_RETURN_IF_ERROR(ParseJson(line, &envelope));
  auto* usage = record->GetReflection()->MutableMessage(record, field);
  // Without `usage` the whole line is the usage object.
  if (!envelope.has_usage()) return ParseJson(line, usage);
  CopyEnvelope(std::move(envelope), record);
  return ParseJsonAt(line, "usage", usage);
}

void FillDefaults(const v1::UsageRecord& defaults, std::int64_t line_number,
                  v1::UsageRecord* record) {
  if (record->record_id().empty()) {
    record->set_record_id(absl::StrReplaceAll(
        defaults.record_id(), {{"{line}", absl::StrCat(line_number)}}));
  }
  if (!record->has_event_time() && defaults.has_event_time()) {
    *record->mutable_event_time() = defaults.event_time();
  }
  if (record->operation().empty()) record->set_operation(defaults.operation());
  if (record->provider().empty()) record->set_provider(defaults.provider());
  if (record->model().empty()) record->set_model(defaults.model());
  record->mutable_labels()->insert(defaults.labels().begin(),
                                   defaults.labels().end());
}

absl::Status Missing(std::string_view field, std::string_view flag) {
  return absl::InvalidArgumentError(std::string(field) +
                                    ": expected it in the line or as " +
                                    std::string(flag) + ", found neither");
}

}  // namespace

absl::StatusOr<v1::UsageRecord> ParseReportLine(
    std::string_view line, std::int64_t line_number,
    const ReportLineFormat& format) {
  v1::UsageRecord record;
  if (format.usage_field != nullptr) {
    TOKENUSAGE_RETURN_IF_ERROR(
        ParseUsageLine(line, format.usage_field, &record));
  } else {
    TOKENUSAGE_RETURN_IF_ERROR(ParseJson(line, &record));
  }
  FillDefaults(format.defaults, line_number, &record);
  if (record.record_id().empty()) return Missing("record_id", "--record-id");
  if (!record.has_event_time()) return Missing("event_time", "--event-time");
  if (record.operation().empty()) return Missing("operation", "--operation");
  if (!HasUsage(record)) {
    return absl::InvalidArgumentError(
        "usage: expected a record with its usage, as tokenusage list prints "
        "it, found none; for usage objects, or \"usage\" in an envelope, say "
        "--message");
  }
  return record;
}

}  // namespace tokenusage
