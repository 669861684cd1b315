// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/json/plugin/message_code.h"

#include <vector>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/substitute.h"
#include "google/protobuf/compiler/cpp/names.h"
#include "google/protobuf/descriptor.h"
#include "tokenusage/base/protobuf_compat.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/json/internal/message_plan.h"

namespace tokenusage {
namespace json_plugin {
namespace {

using ::google::protobuf::Descriptor;
using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::compiler::cpp::FieldName;
using ::google::protobuf::compiler::cpp::QualifiedClassName;
using json_internal::FieldKind;
using json_internal::FieldPlan;
using json_internal::FieldShape;
using json_internal::MessagePlan;

std::string KindName(FieldKind kind) {
  switch (kind) {
    case FieldKind::kDouble:
      return "kDouble";
    case FieldKind::kFloat:
      return "kFloat";
    case FieldKind::kInt32:
      return "kInt32";
    case FieldKind::kInt64:
      return "kInt64";
    case FieldKind::kUInt32:
      return "kUInt32";
    case FieldKind::kUInt64:
      return "kUInt64";
    case FieldKind::kBool:
      return "kBool";
    case FieldKind::kString:
      return "kString";
    case FieldKind::kBytes:
      return "kBytes";
    case FieldKind::kEnum:
      return "kEnum";
    case FieldKind::kMessage:
      return "kMessage";
    case FieldKind::kTimestamp:
      return "kTimestamp";
  }
  return "";
}

std::string TypeCode(const FieldPlan& field) {
  const bool is_map = field.shape == FieldShape::kMap;
  const std::string kind = absl::StrCat(
      "FieldKind::",
      KindName(is_map ? field.message->fields[1].kind : field.kind));
  if (is_map) return absl::StrCat("Map<", kind, ">");
  if (field.shape == FieldShape::kRepeated) {
    return absl::StrCat("Repeated<", kind, ">");
  }
  if (field.oneof >= 0) {
    return absl::StrCat("OneofMember<", kind, ", ", field.oneof, ">");
  }
  if (!field.has_presence) return absl::StrCat("Implicit<", kind, ">");
  return absl::StrCat(field.required ? "Required<" : "Optional<", kind, ">");
}

absl::Status CheckAccessors(const Descriptor& message) {
  if (message.field_count() > json_internal::kMaxGeneratedFields ||
      message.real_oneof_decl_count() > json_internal::kMaxGeneratedOneofs) {
    return absl::FailedPreconditionError(absl::StrCat(
        std::string(message.full_name()), ": more than ",
        json_internal::kMaxGeneratedFields, " fields or ",
        json_internal::kMaxGeneratedOneofs, " oneofs are not supported"));
  }
  for (int i = 0; i < message.field_count(); ++i) {
    const FieldDescriptor& field = *message.field(i);
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING &&
        !IsStdString(field)) {
      return absl::FailedPreconditionError(
          absl::StrCat(std::string(field.full_name()),
                       ": [ctype] is not supported, leave it out"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> MessageCode(const Descriptor& message) {
  TOKENUSAGE_RETURN_IF_ERROR(CheckAccessors(message));
  TOKENUSAGE_ASSIGN_OR_RETURN(const json_internal::PlanHandle handle,
                              json_internal::GetMessagePlan(&message));
  std::string fields;
  std::vector<std::string> list;
  for (const FieldPlan& field : handle.plan->fields) {
    const std::string name = FieldName(field.field);
    // Without the quotes and the colon.
    const std::string json_name =
        field.quoted.substr(1, field.quoted.size() - 3);
    absl::StrAppend(&fields, "  TOKENUSAGE_JSON_FIELD(", name, ", \"",
                    absl::CEscape(json_name), "\", ", TypeCode(field), ");\n");
    list.push_back(absl::StrCat(name, "_field"));
  }
  return absl::Substitute(R"(template <>
struct JsonFields<$0> {
$1  using List = FieldList<$2>;
  static constexpr bool kIsExtendable = $3;
};

)",
                          QualifiedClassName(&message), fields,
                          absl::StrJoin(list, ", "),
                          message.extension_range_count() > 0);
}

}  // namespace json_plugin
}  // namespace tokenusage
