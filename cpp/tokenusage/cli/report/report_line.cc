// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/cli/report/report_line.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "google/protobuf/descriptor.pb.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"
#include "tokenusage/base/excerpt.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/base/string_view.h"
#include "tokenusage/json/json.h"

namespace tokenusage {
namespace {

using ::google::protobuf::Descriptor;
using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::FileDescriptorProto;
using ::google::protobuf::Message;

constexpr char kUsage[] = "usage";

const ::google::protobuf::OneofDescriptor* UsageOneof() {
  return v1::UsageRecord::descriptor()->FindOneofByName(kUsage);
}

// Describes the envelope: UsageRecord with the same numbers, in which
// `usage_field` is called "usage" and the other kinds of usage do not exist.
FileDescriptorProto EnvelopeFile(const FieldDescriptor& usage_field) {
  const Descriptor& record = *v1::UsageRecord::descriptor();
  FileDescriptorProto file;
  file.set_name("report_envelope.proto");
  file.set_syntax("proto3");
  for (int i = 0; i < record.file()->dependency_count(); ++i) {
    file.add_dependency(std::string(record.file()->dependency(i)->name()));
  }
  auto* envelope = file.add_message_type();
  record.CopyTo(envelope);
  envelope->set_name("ReportEnvelope");
  envelope->clear_oneof_decl();
  envelope->clear_field();
  for (int i = 0; i < record.field_count(); ++i) {
    const FieldDescriptor& field = *record.field(i);
    const bool is_usage = field.containing_oneof() == UsageOneof();
    if (is_usage && &field != &usage_field) continue;
    auto* copy = envelope->add_field();
    field.CopyTo(copy);
    copy->clear_oneof_index();
    copy->clear_proto3_optional();  // which is a oneof, too
    copy->set_name(is_usage ? kUsage : std::string(field.name()));
    copy->set_json_name(copy->name());
    // A map's entries are a nested type, which belongs to its own message.
    if (field.is_map()) {
      copy->set_type_name(std::string(field.message_type()->name()));
    }
  }
  return file;
}

const FieldDescriptor& UsageFieldOf(const Message& envelope) {
  return *envelope.GetDescriptor()->FindFieldByName(kUsage);
}

bool HasUsage(const Message& envelope) {
  return envelope.GetReflection()->HasField(envelope, &UsageFieldOf(envelope));
}

bool IsUnknownField(const absl::Status& status) {
  const auto error = GetJsonError(status);
  return error && error->kind == JsonError::Kind::kUnknownField;
}

// Refuses members that an envelope does not have. `line` is valid JSON.
absl::Status CheckMemberNames(std::string_view line,
                              const Descriptor& envelope) {
  ::google::protobuf::Struct object;
  if (!::google::protobuf::util::JsonStringToMessage(std::string(line), &object)
           .ok()) {
    return absl::InvalidArgumentError("expected JSON, found something else");
  }
  for (const auto& [name, value] : object.fields()) {
    if (envelope.FindFieldByName(name) == nullptr &&
        envelope.FindFieldByCamelcaseName(name) == nullptr) {
      return absl::InvalidArgumentError(absl::StrCat(
          "expected record_id, event_time, operation, provider, model, labels, "
          "usage_json and usage, found \"",
          Excerpt(name), "\"; --ignore-unknown ignores it"));
    }
  }
  return absl::OkStatus();
}

// Refuses members of an envelope beside the counts of a bare usage object: they
// would be lost.
absl::Status CheckIsBare(const Message& envelope) {
  std::vector<const FieldDescriptor*> fields;
  envelope.GetReflection()->ListFields(envelope, &fields);
  if (fields.empty()) return absl::OkStatus();
  const std::string first(fields.front()->name());
  return absl::InvalidArgumentError(absl::StrCat(
      "usage: expected the counts in it, as in {\"", first,
      "\":...,\"usage\":{...}}, found \"", first, "\" beside the counts"));
}

// Returns whether the unknown member is one of an envelope or of a bare usage
// object.
bool IsForgottenMessage(const JsonError& unknown_field) {
  const std::vector<std::string> found =
      absl::StrSplit(unknown_field.found, '"');  // name "total_tokens"
  if (!unknown_field.field_path.empty() || found.size() < 2) return false;
  if (found[1] == kUsage) return true;
  for (int i = 0; i < UsageOneof()->field_count(); ++i) {
    const Descriptor* usage = UsageOneof()->field(i)->message_type();
    if (usage->FindFieldByName(found[1]) != nullptr) return true;
  }
  return false;
}

absl::Status ForgottenMessage() {
  return absl::FailedPreconditionError(
      "this is not a record as tokenusage list prints it; if the lines are "
      "usage "
      "objects, or have one in \"usage\", --message must name its type");
}

// Returns the provider of this kind of usage, and the operation that belongs to
// it: orq and images.edits for orq_images_edits, in package tokenusage.orq.v2.
std::pair<std::string, std::string> OperationOf(
    const FieldDescriptor& usage_field) {
  const std::vector<std::string> package = absl::StrSplit(
      std::string(usage_field.message_type()->file()->package()), '.');
  const std::string name(usage_field.name());
  return {package[1],
          absl::StrReplaceAll(absl::StripPrefix(name, package[1] + "_"),
                              {{"_", "."}})};
}

// Refuses a record whose operation is that of another kind of usage of the same
// provider. A void has none.
absl::Status CheckOperation(const v1::UsageRecord& record) {
  const FieldDescriptor* usage =
      record.GetReflection()->GetOneofFieldDescriptor(record, UsageOneof());
  if (usage == nullptr) return absl::OkStatus();
  const auto [provider, operation] = OperationOf(*usage);
  for (int i = 0; i < UsageOneof()->field_count(); ++i) {
    const FieldDescriptor* other = UsageOneof()->field(i);
    if (other == usage ||
        OperationOf(*other) != std::pair(provider, record.operation())) {
      continue;
    }
    return absl::InvalidArgumentError(
        absl::StrCat("operation: expected ", operation, " with a ",
                     std::string(usage->message_type()->name()), ", found ",
                     record.operation()));
  }
  return absl::OkStatus();
}

absl::Status Missing(const char* field, const char* flag) {
  return absl::InvalidArgumentError(absl::StrCat(
      field, ": expected it in the line or as ", flag, ", found neither"));
}

}  // namespace

ReportLineParser::ReportLineParser(ReportLineFormat format)
    : format_(std::move(format)),
      pool_(::google::protobuf::DescriptorPool::generated_pool()) {
  if (format_.usage_field == nullptr) return;
  factory_.SetDelegateToGeneratedFactory(true);
  const auto* file = pool_.BuildFile(EnvelopeFile(*format_.usage_field));
  envelope_ = factory_.GetPrototype(file->message_type(0));
}

absl::Status ReportLineParser::ParseUsageLine(std::string_view line,
                                              v1::UsageRecord* record) const {
  const std::unique_ptr<Message> envelope(envelope_->New());
  absl::Status status =
      ParseJson(line, envelope.get(), {/*strict=*/!format_.ignore_unknown});
  // Strict mode also refuses what providers add to their usage objects.
  const bool has_unknown = IsUnknownField(status);
  if (has_unknown) status = ParseJson(line, envelope.get());
  TOKENUSAGE_RETURN_IF_ERROR(status);
  if (!HasUsage(*envelope)) {
    Message* usage =
        record->GetReflection()->MutableMessage(record, format_.usage_field);
    // A line whose "usage" is null is not a bare usage object.
    const absl::Status missing = ParseJsonAt(line, kUsage, usage);
    const auto error = GetJsonError(missing);
    if (!error || error->kind != JsonError::Kind::kMissingField) return missing;
    TOKENUSAGE_RETURN_IF_ERROR(CheckIsBare(*envelope));
    return ParseJson(line, usage);
  }
  if (has_unknown) {
    TOKENUSAGE_RETURN_IF_ERROR(
        CheckMemberNames(line, *envelope->GetDescriptor()));
  }
  if (record->ParseFromString(envelope->SerializeAsString())) return status;
  return absl::InternalError("the envelope is no record");
}

absl::Status ReportLineParser::ParseRecordLine(std::string_view line,
                                               v1::UsageRecord* record) const {
  const absl::Status status =
      ParseJson(line, record, {/*strict=*/!format_.ignore_unknown});
  if (status.ok()) {
    const bool has_usage =
        record->usage_case() != v1::UsageRecord::USAGE_NOT_SET;
    if (has_usage || !record->corrects().empty()) return status;
    if (format_.ignore_unknown) return ForgottenMessage();
    return absl::InvalidArgumentError("usage: expected it, found none");
  }
  if (!IsUnknownField(status)) return status;
  if (IsForgottenMessage(*GetJsonError(status))) return ForgottenMessage();
  return absl::InvalidArgumentError(
      absl::StrCat(status.message(), "; --ignore-unknown ignores it"));
}

absl::Status ReportLineParser::Complete(std::int64_t line_number,
                                        v1::UsageRecord* record) const {
  v1::UsageRecord complete = format_.defaults;
  complete.set_record_id(absl::StrReplaceAll(
      complete.record_id(), {{"{line}", absl::StrCat(line_number)}}));
  // Times would merge field by field.
  if (record->has_event_time()) complete.clear_event_time();
  complete.MergeFrom(*record);
  record->Swap(&complete);
  if (record->record_id().empty()) return Missing("record_id", "--record-id");
  if (!record->has_event_time()) return Missing("event_time", "--event-time");
  if (record->operation().empty()) return Missing("operation", "--operation");
  return CheckOperation(*record);
}

absl::StatusOr<v1::UsageRecord> ReportLineParser::Parse(
    std::string_view line, std::int64_t line_number) const {
  v1::UsageRecord record;
  TOKENUSAGE_RETURN_IF_ERROR(format_.usage_field == nullptr
                                 ? ParseRecordLine(line, &record)
                                 : ParseUsageLine(line, &record));
  TOKENUSAGE_RETURN_IF_ERROR(Complete(line_number, &record));
  return record;
}

}  // namespace tokenusage
