// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/json/json.h"

#include <algorithm>
#include <memory>

#include "tokenusage/base/status_macros.h"
#include "tokenusage/json/internal/generated_message.h"
#include "tokenusage/json/internal/message_plan.h"
#include "tokenusage/json/internal/reader.h"
#include "tokenusage/json/internal/reflection_message.h"
#include "tokenusage/json/internal/violation.h"
#include "tokenusage/json/internal/writer.h"

namespace tokenusage {
namespace {

using ::google::protobuf::Message;
using json_internal::GeneratedMessage;
using json_internal::ReflectionTable;
using json_internal::Violation;

bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

absl::Status ReadByReflection(std::string_view json, std::string_view path,
                              bool strict, Message* message) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const json_internal::PlanHandle handle,
      json_internal::GetMessagePlan(message->GetDescriptor()));
  const std::unique_ptr<Message> parsed(message->New());
  Violation violation;
  json_internal::Reader<true> reader(json, strict, &violation);
  if (!reader.ReadDocument(path, ReflectionTable(*handle.plan), parsed.get())) {
    return JsonErrorStatus(DescribeReadViolation(violation, json));
  }
  message->GetReflection()->Swap(message, parsed.get());
  return absl::OkStatus();
}

absl::Status WriteByReflection(const Message& message, std::string* out) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const json_internal::PlanHandle handle,
      json_internal::GetMessagePlan(message.GetDescriptor()));
  Violation violation;
  json_internal::Writer<true> writer(out, &violation);
  if (writer.WriteDocument(ReflectionTable(*handle.plan), message)) {
    return absl::OkStatus();
  }
  return JsonErrorStatus(DescribeWriteViolation(violation));
}

// Returns an error of a line with its place in the whole text.
absl::Status ErrorInText(const absl::Status& status, std::size_t line_number,
                         std::size_t line_start) {
  std::optional<JsonError> error = GetJsonError(status);
  if (!error.has_value()) return status;
  error->line = line_number;
  error->byte_offset += line_start;
  return JsonErrorStatus(*error);
}

}  // namespace

absl::Status ParseJsonAt(std::string_view json, std::string_view path,
                         Message* message, const JsonParseOptions& options) {
  const GeneratedMessage* const generated =
      json_internal::Registration::Find(*message);
  if (generated != nullptr &&
      generated->read(json, path, options.strict, message)) {
    return absl::OkStatus();
  }
  // Also describes an error, which generated code only detects.
  return ReadByReflection(json, path, options.strict, message);
}

absl::Status ParseJson(std::string_view json, Message* message,
                       const JsonParseOptions& options) {
  return ParseJsonAt(json, "", message, options);
}

JsonLinesReader::JsonLinesReader(std::string_view text,
                                 const JsonParseOptions& options)
    : text_(text), options_(options) {}

bool JsonLinesReader::Next(Message* message) {
  while (position_ < text_.size()) {
    const std::size_t start = position_;
    ++line_number_;
    const std::size_t end = std::min(text_.find('\n', start), text_.size());
    position_ = end + 1;
    const std::string_view line = text_.substr(start, end - start);
    if (std::all_of(line.begin(), line.end(), IsSpace)) continue;
    status_ = ParseJson(line, message, options_);
    if (!status_.ok()) status_ = ErrorInText(status_, line_number_, start);
    return true;
  }
  status_ = absl::OkStatus();
  return false;
}

absl::Status AppendJson(const Message& message, std::string* out) {
  const std::size_t size_before = out->size();
  const GeneratedMessage* const generated =
      json_internal::Registration::Find(message);
  if (generated != nullptr && generated->write(message, out)) {
    return absl::OkStatus();
  }
  out->resize(size_before);
  const absl::Status status = WriteByReflection(message, out);
  if (!status.ok()) out->resize(size_before);
  return status;
}

absl::Status AppendJsonLine(const Message& message, std::string* out) {
  TOKENUSAGE_RETURN_IF_ERROR(AppendJson(message, out));
  out->push_back('\n');
  return absl::OkStatus();
}

absl::StatusOr<std::string> WriteJson(const Message& message) {
  std::string json;
  TOKENUSAGE_RETURN_IF_ERROR(AppendJson(message, &json));
  return json;
}

}  // namespace tokenusage
