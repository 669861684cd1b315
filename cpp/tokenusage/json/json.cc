#include "tokenusage/json/json.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "tokenusage/base/status_macros.h"
#include "tokenusage/json/fault.h"
#include "tokenusage/json/message_plan.h"
#include "tokenusage/json/message_table.h"
#include "tokenusage/json/path_choice.h"
#include "tokenusage/json/reader.h"
#include "tokenusage/json/scratch_message.h"
#include "tokenusage/json/table_reader.h"
#include "tokenusage/json/table_writer.h"
#include "tokenusage/json/writer.h"

namespace tokenusage {
namespace {

using google::protobuf::Message;
using json_internal::MessageTable;
using json_internal::path_choice;
using json_internal::PathChoice;

// Larger documents are read into messages that are not kept.
constexpr std::size_t kMaxScratchBytes = std::size_t{1} << 16;

// Larger shapes are not written by way of the stack.
constexpr std::size_t kMaxShapeRoom = 4096;

bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

bool IsBlank(std::string_view line) {
  return std::all_of(line.begin(), line.end(), IsSpace);
}

// The ways to read. Those by table and by shape give the message or do nothing;
// only Reflection's finds the words for an error.
bool ReadNumbers(std::string_view json, const MessageTable& table, bool padded,
                 Message* message) {
  if (table.shape.set == nullptr || path_choice != PathChoice::kFastest) {
    return false;
  }
  double numbers[json_internal::kMaxShapeNumbers];
  if (!json_internal::ReadNumbersByTable(json, table, padded, numbers)) {
    return false;
  }
  table.shape.set(message, numbers);
  return true;
}

bool ReadByTable(std::string_view json, std::string_view path,
                 const MessageTable& table, bool strict, bool padded,
                 Message* message) {
  json_internal::TableReadOptions options;
  options.strict = strict;
  options.padded = padded;
  std::unique_ptr<Message> owned;
  if (json.size() > kMaxScratchBytes) owned.reset(table.create());
  Message* const parsed =
      owned != nullptr ? owned.get() : json_internal::ScratchMessage(table);
  if (!json_internal::ReadByTable(json, path, table, options, parsed)) {
    return false;
  }
  table.swap(message, parsed);
  return true;
}

absl::Status ReadByReflection(std::string_view json, std::string_view path,
                              bool strict, Message* message) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const json_internal::PlanHandle handle,
      json_internal::GetMessagePlan(message->GetDescriptor()));
  const std::unique_ptr<Message> parsed(message->New());
  json_internal::Fault fault;
  if (!json_internal::ReadDocument(json, path, *handle.plan, strict,
                                   parsed.get(), &fault)) {
    return JsonErrorStatus(json_internal::DescribeReadFault(fault, json));
  }
  message->GetReflection()->Swap(message, parsed.get());
  return absl::OkStatus();
}

__attribute__((noinline)) absl::Status ReadOtherwise(
    std::string_view json, std::string_view path, bool padded,
    const JsonParseOptions& options, Message* message) {
  const MessageTable* const table = json_internal::FindTable(*message);
  if (table != nullptr && path_choice != PathChoice::kReflection) {
    if ((path.empty() && ReadNumbers(json, *table, padded, message)) ||
        ReadByTable(json, path, *table, options.strict, padded, message)) {
      return absl::OkStatus();
    }
  }
  return ReadByReflection(json, path, options.strict, message);
}

inline absl::Status Read(std::string_view json, bool padded,
                         const JsonParseOptions& options, Message* message) {
  const MessageTable* const table = json_internal::FindTable(*message);
  if (table != nullptr && path_choice == PathChoice::kFastest) {
    const auto read = padded ? table->shape.read_padded : table->shape.read;
    if (read != nullptr && read(json.data(), json.data() + json.size(), false,
                                message) != nullptr) {
      return absl::OkStatus();
    }
  }
  return ReadOtherwise(json, "", padded, options, message);
}

bool WriteByShape(const Message& message, const MessageTable& table,
                  std::string* out) {
  if (table.shape.write == nullptr || table.shape.room > kMaxShapeRoom ||
      path_choice != PathChoice::kFastest) {
    return false;
  }
  char buffer[kMaxShapeRoom];
  const char* const end = table.shape.write(message, buffer);
  if (end == nullptr) return false;
  out->append(buffer, static_cast<std::size_t>(end - buffer));
  return true;
}

absl::Status WriteByReflection(const Message& message, std::string* out) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const json_internal::PlanHandle handle,
      json_internal::GetMessagePlan(message.GetDescriptor()));
  const std::size_t size_before = out->size();
  json_internal::Fault fault;
  if (!json_internal::WriteDocument(message, *handle.plan, out, &fault)) {
    out->resize(size_before);
    return JsonErrorStatus(json_internal::DescribeWriteFault(fault));
  }
  return absl::OkStatus();
}

// An error of a line, with its places made those of the whole text.
absl::Status ErrorInText(const absl::Status& status, std::size_t line_number,
                         std::size_t line_start) {
  std::optional<JsonError> error = GetJsonError(status);
  if (!error.has_value()) return status;
  error->line = line_number;
  error->byte_offset += line_start;
  return JsonErrorStatus(*error);
}

}  // namespace

absl::Status ParseJson(std::string_view json, Message* message,
                       const JsonParseOptions& options) {
  return Read(json, false, options, message);
}

absl::Status ParsePaddedJson(std::string_view json, Message* message,
                             const JsonParseOptions& options) {
  return Read(json, true, options, message);
}

absl::Status ParseJsonAt(std::string_view json, std::string_view path,
                         Message* message, const JsonParseOptions& options) {
  return ReadOtherwise(json, path, false, options, message);
}

JsonLinesReader::JsonLinesReader(std::string_view text,
                                 const JsonParseOptions& options)
    : text_(text), options_(options) {}

bool JsonLinesReader::Next(Message* message) {
  const MessageTable* const table = json_internal::FindTable(*message);
  const auto read_shape =
      table != nullptr && path_choice == PathChoice::kFastest
          ? table->shape.read
          : nullptr;
  while (position_ < text_.size()) {
    const std::size_t start = position_;
    ++line_number_;
    if (read_shape != nullptr) {
      const char* const end = read_shape(
          text_.data() + start, text_.data() + text_.size(), true, message);
      if (end != nullptr) {
        position_ = static_cast<std::size_t>(end - text_.data()) + 1;
        status_ = absl::OkStatus();
        return true;
      }
    }
    const std::size_t end = std::min(text_.find('\n', start), text_.size());
    position_ = end + 1;
    const std::string_view line = text_.substr(start, end - start);
    if (IsBlank(line)) continue;
    status_ = ParseJson(line, message, options_);
    if (!status_.ok()) status_ = ErrorInText(status_, line_number_, start);
    return true;
  }
  status_ = absl::OkStatus();
  return false;
}

absl::Status AppendJson(const Message& message, std::string* out) {
  const MessageTable* const table = json_internal::FindTable(message);
  if (table != nullptr && path_choice != PathChoice::kReflection) {
    if (WriteByShape(message, *table, out)) return absl::OkStatus();
    const std::size_t size_before = out->size();
    if (json_internal::WriteByTable(message, *table, out)) {
      return absl::OkStatus();
    }
    out->resize(size_before);
  }
  return WriteByReflection(message, out);
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
