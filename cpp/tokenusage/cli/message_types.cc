// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/cli/message_types.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tokenusage/base/excerpt.h"
#include "tokenusage/orq/v2/images.pb.h"
#include "tokenusage/v1/usage_record.pb.h"

namespace tokenusage {
namespace {

using ::google::protobuf::Descriptor;
using ::google::protobuf::FieldDescriptor;

// Returns the messages that can be named: all of these files.
std::vector<const Descriptor*> NameableMessages() {
  std::vector<const Descriptor*> messages;
  for (const auto* file :
       {orq::v2::PostV2ProxyImagesEditsUsage::descriptor()->file(),
        v1::UsageRecord::descriptor()->file()}) {
    for (int i = 0; i < file->message_type_count(); ++i) {
      messages.push_back(file->message_type(i));
    }
  }
  return messages;
}

absl::Status UnknownMessage(std::string_view name,
                            const std::vector<std::string>& known) {
  return absl::InvalidArgumentError(
      absl::StrCat("--message: expected one of ", absl::StrJoin(known, ", "),
                   ", found \"", Excerpt(name), "\""));
}

}  // namespace

absl::StatusOr<const ::google::protobuf::Message*> FindMessageType(
    std::string_view name) {
  std::vector<const Descriptor*> matches;
  std::vector<std::string> known;
  for (const Descriptor* message : NameableMessages()) {
    known.emplace_back(message->name());
    if (message->full_name() == name) matches = {message};
    if (message->full_name() == name) break;
    if (message->name() == name) matches.push_back(message);
  }
  if (matches.size() != 1) return UnknownMessage(name, known);
  return ::google::protobuf::MessageFactory::generated_factory()->GetPrototype(
      matches.front());
}

absl::StatusOr<const FieldDescriptor*> FindUsageField(
    std::string_view message_name) {
  const auto* usage = v1::UsageRecord::descriptor()->FindOneofByName("usage");
  std::vector<std::string> known;
  for (int i = 0; i < usage->field_count(); ++i) {
    const FieldDescriptor* field = usage->field(i);
    const Descriptor* message = field->message_type();
    if (message->full_name() == message_name) return field;
    if (message->name() == message_name) return field;
    known.emplace_back(message->name());
  }
  return UnknownMessage(message_name, known);
}

}  // namespace tokenusage
