// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/cli/client/report_line.h"

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tokenusage/base/excerpt.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/internal/report_envelope.pb.h"
#include "tokenusage/json/json.h"

namespace tokenusage {
namespace {

// Whether the record holds usage that is set, of any kind.
bool HasUsage(const v1::UsageRecord& record) {
  return record.usage_case() != v1::UsageRecord::USAGE_NOT_SET;
}

// What a line has said of the record: it cannot be told from the record itself,
// where an empty provider is also one that was not said.
using Said = internal::ReportEnvelope;

// The names of an object's own members as they are spelt, of JSON that was
// parsed before and hence is valid.
std::vector<std::string_view> MemberNames(std::string_view json) {
  std::vector<std::string_view> names;
  int depth = 0;
  for (std::size_t i = 0; i < json.size(); ++i) {
    if (json[i] == '{' || json[i] == '[') ++depth;
    if (json[i] == '}' || json[i] == ']') --depth;
    if (json[i] != '"') continue;
    const std::size_t begin = i + 1;
    for (++i; json[i] != '"'; ++i) i += json[i] == '\\' ? 1 : 0;
    const std::size_t next = json.find_first_not_of(" \t\r\n", i + 1);
    if (depth == 1 && json[next] == ':') {
      names.push_back(json.substr(begin, i - begin));
    }
  }
  return names;
}

// Refuses members of an envelope that are none of its fields.
absl::Status CheckNames(std::string_view line) {
  for (const std::string_view name : MemberNames(line)) {
    const std::string key(name);
    const auto* type = Said::descriptor();
    if (type->FindFieldByName(key) == nullptr &&
        type->FindFieldByCamelcaseName(key) == nullptr) {
      return absl::InvalidArgumentError(
          "expected record_id, event_time, operation, provider, model, labels "
          "and usage, found \"" +
          Excerpt(name) + "\"; --ignore-unknown passes over it");
    }
  }
  return absl::OkStatus();
}

// Refuses an envelope's members beside the counts of a usage object, where they
// would be passed over.
absl::Status CheckNothingSaid(const Said& said) {
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  said.GetReflection()->ListFields(said, &fields);
  if (fields.empty()) return absl::OkStatus();
  const std::string first(fields.front()->name());
  return absl::InvalidArgumentError(
      "usage: expected it around the counts, as in {\"" + first +
      "\":...,\"usage\":{...}}, found \"" + first + "\" beside them");
}

absl::Status ParseUsageLine(std::string_view line,
                            const ReportLineFormat& format, Said* said,
                            v1::UsageRecord* record) {
  TOKENUSAGE_RETURN_IF_ERROR(ParseJson(line, said));
  auto* usage =
      record->GetReflection()->MutableMessage(record, format.usage_field);
  if (!said->has_usage()) {
    TOKENUSAGE_RETURN_IF_ERROR(CheckNothingSaid(*said));
    return ParseJson(line, usage);
  }
  if (!format.ignore_unknown) TOKENUSAGE_RETURN_IF_ERROR(CheckNames(line));
  return ParseJsonAt(line, "usage", usage);
}

absl::Status ParseRecordLine(std::string_view line,
                             const ReportLineFormat& format,
                             v1::UsageRecord* record) {
  absl::Status status =
      ParseJson(line, record, {/*strict=*/!format.ignore_unknown});
  const auto error = GetJsonError(status);
  if (!error || error->kind != JsonError::Kind::kUnknownField) return status;
  return absl::InvalidArgumentError(
      absl::StrCat(status.message(),
                   "; --message names the kind of usage objects, and of "
                   "\"usage\" in envelopes; --ignore-unknown passes over "
                   "such members"));
}

// Of a record, empty is the same as not said.
Said SaidBy(v1::UsageRecord* record) {
  Said said;
  if (!record->record_id().empty()) said.set_record_id(record->record_id());
  if (record->has_event_time()) {
    *said.mutable_event_time() = record->event_time();
  }
  if (!record->operation().empty()) said.set_operation(record->operation());
  if (!record->provider().empty()) said.set_provider(record->provider());
  if (!record->model().empty()) said.set_model(record->model());
  said.mutable_labels()->swap(*record->mutable_labels());
  return said;
}

// Fills a record from what its line has said, and else from the flags.
void Fill(const Said& said, const v1::UsageRecord& defaults,
          std::int64_t line_number, v1::UsageRecord* record) {
  record->set_record_id(
      said.has_record_id()
          ? said.record_id()
          : absl::StrReplaceAll(defaults.record_id(),
                                {{"{line}", absl::StrCat(line_number)}}));
  if (said.has_event_time() || defaults.has_event_time()) {
    *record->mutable_event_time() =
        said.has_event_time() ? said.event_time() : defaults.event_time();
  }
  record->set_operation(said.has_operation() ? said.operation()
                                             : defaults.operation());
  record->set_provider(said.has_provider() ? said.provider()
                                           : defaults.provider());
  record->set_model(said.has_model() ? said.model() : defaults.model());
  *record->mutable_labels() = said.labels();
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
  Said said;
  if (format.usage_field != nullptr) {
    TOKENUSAGE_RETURN_IF_ERROR(ParseUsageLine(line, format, &said, &record));
  } else {
    TOKENUSAGE_RETURN_IF_ERROR(ParseRecordLine(line, format, &record));
    said = SaidBy(&record);
  }
  Fill(said, format.defaults, line_number, &record);
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
