// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/cli/message_types.h"

#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tokenusage/base/excerpt.h"
#include "tokenusage/v1/usage_record.pb.h"

namespace tokenusage {
namespace {

using ::google::protobuf::Descriptor;
using ::google::protobuf::FieldDescriptor;

constexpr char kPackage[] = "tokenusage.";

std::vector<const FieldDescriptor*> UsageFields() {
  const auto* usage = v1::UsageRecord::descriptor()->FindOneofByName("usage");
  std::vector<const FieldDescriptor*> fields;
  for (int i = 0; i < usage->field_count(); ++i) {
    fields.push_back(usage->field(i));
  }
  return fields;
}

// Returns the messages that can be named: all those in the files of the usages.
std::vector<const Descriptor*> NameableMessages() {
  std::set<const ::google::protobuf::FileDescriptor*> files;
  std::vector<const Descriptor*> messages;
  const auto add = [&](const ::google::protobuf::FileDescriptor* file) {
    if (!files.insert(file).second) return;
    for (int i = 0; i < file->message_type_count(); ++i) {
      messages.push_back(file->message_type(i));
    }
  };
  add(v1::UsageRecord::descriptor()->file());
  for (const FieldDescriptor* field : UsageFields()) {
    add(field->message_type()->file());
  }
  return messages;
}

// Returns whether `name` is the message's full name, or the end of it after a
// dot.
bool IsNameOf(std::string_view name, const Descriptor& message) {
  const std::string full_name(message.full_name());
  return full_name == name ||
         (!name.empty() && absl::EndsWith(full_name, "." + std::string(name)));
}

// Returns the error for a name that fits none of the messages, or several.
absl::Status NotOneMessage(std::string_view name,
                           const std::vector<const Descriptor*>& matches) {
  if (matches.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--message: expected a message such as those that "
                     "tokenusage dialects lists, found \"",
                     Excerpt(name), "\""));
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "--message: expected one of ",
      absl::StrJoin(matches, ", ",
                    [](std::string* out, const Descriptor* message) {
                      absl::StrAppend(out, std::string(message->full_name())
                                               .substr(sizeof(kPackage) - 1));
                    }),
      ", found \"", Excerpt(name), "\""));
}

}  // namespace

absl::StatusOr<const ::google::protobuf::Message*> FindMessageType(
    std::string_view name) {
  std::vector<const Descriptor*> matches;
  for (const Descriptor* message : NameableMessages()) {
    if (IsNameOf(name, *message)) matches.push_back(message);
  }
  if (matches.size() == 1) {
    return ::google::protobuf::MessageFactory::generated_factory()
        ->GetPrototype(matches.front());
  }
  return NotOneMessage(name, matches);
}

absl::StatusOr<const FieldDescriptor*> FindUsageField(
    std::string_view message_name) {
  std::vector<const Descriptor*> matches;
  const FieldDescriptor* found = nullptr;
  for (const FieldDescriptor* field : UsageFields()) {
    if (!IsNameOf(message_name, *field->message_type())) continue;
    matches.push_back(field->message_type());
    found = field;
  }
  if (matches.size() == 1) return found;
  return NotOneMessage(message_name, matches);
}

}  // namespace tokenusage
