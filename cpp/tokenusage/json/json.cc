#include "tokenusage/json/json.h"

#include <cstddef>
#include <memory>
#include <utility>

#include "tokenusage/base/status_macros.h"
#include "tokenusage/json/fault.h"
#include "tokenusage/json/message_plan.h"
#include "tokenusage/json/reader.h"
#include "tokenusage/json/writer.h"

namespace tokenusage {

using google::protobuf::Message;

absl::Status ParseJsonAt(std::string_view json, std::string_view path,
                         Message* message, const JsonParseOptions& options) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const json_internal::PlanHandle handle,
      json_internal::GetMessagePlan(message->GetDescriptor()));
  const std::unique_ptr<Message> parsed(message->New());
  json_internal::Fault fault;
  if (!json_internal::ReadDocument(json, path, *handle.plan, options.strict,
                                   parsed.get(), &fault)) {
    return JsonErrorStatus(json_internal::DescribeReadFault(fault, json));
  }
  message->GetReflection()->Swap(message, parsed.get());
  return absl::OkStatus();
}

absl::Status ParseJson(std::string_view json, Message* message,
                       const JsonParseOptions& options) {
  return ParseJsonAt(json, "", message, options);
}

absl::Status AppendJson(const Message& message, std::string* out) {
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

absl::StatusOr<std::string> WriteJson(const Message& message) {
  std::string json;
  TOKENUSAGE_RETURN_IF_ERROR(AppendJson(message, &json));
  return json;
}

}  // namespace tokenusage
