#include "tokenusage/json/plugin/table_code.h"

#include <cstdint>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "google/protobuf/compiler/cpp/names.h"
#include "tokenusage/json/message_table.h"
#include "tokenusage/json/plugin/shape_code.h"

namespace tokenusage {
namespace json_plugin {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::compiler::cpp::FieldName;
using google::protobuf::compiler::cpp::QualifiedClassName;
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

std::string ShapeName(FieldShape shape) {
  switch (shape) {
    case FieldShape::kSingular:
      return "kSingular";
    case FieldShape::kRepeated:
      return "kRepeated";
    case FieldShape::kMap:
      return "kMap";
  }
  return "";
}

// The type by which tables pass a value, and the one that the class takes.
struct ValueTypes {
  std::string passed;
  std::string taken;
};

ValueTypes TypesOf(const FieldPlan& field) {
  switch (field.kind) {
    case FieldKind::kDouble:
      return {"double", "double"};
    case FieldKind::kFloat:
      return {"float", "float"};
    case FieldKind::kInt32:
      return {"std::int64_t", "std::int32_t"};
    case FieldKind::kInt64:
      return {"std::int64_t", "std::int64_t"};
    case FieldKind::kUInt32:
      return {"std::uint64_t", "std::uint32_t"};
    case FieldKind::kUInt64:
      return {"std::uint64_t", "std::uint64_t"};
    case FieldKind::kBool:
      return {"bool", "bool"};
    case FieldKind::kEnum:
      return {"int", QualifiedClassName(field.field->enum_type())};
    default:
      return {"std::string_view", ""};
  }
}

std::string Literal(const std::string& text) {
  return absl::StrCat("{\"", absl::CEscape(text), "\", ", text.size(), "}");
}

// $0: the class. $1: the field. $2: for elements, their index, else nothing.
std::string AccessCode(const FieldPlan& field, const std::string& alias,
                       const std::string& name) {
  const bool repeated = field.shape == FieldShape::kRepeated;
  const std::string index = repeated ? "i" : "";
  switch (field.kind) {
    case FieldKind::kMessage:
    case FieldKind::kTimestamp:
      return absl::Substitute(
          R"(MessageAccess{[](Message* m) -> Message* {
                         return static_cast<$0*>(m)->$3_$1();
                       },
                       [](const Message& m, int$4) -> const Message& {
                         return static_cast<const $0&>(m).$1($2);
                       }})",
          alias, name, index, repeated ? "add" : "mutable",
          repeated ? " i" : "");
    case FieldKind::kString:
    case FieldKind::kBytes:
      return absl::Substitute(
          R"(ValueAccess<std::string_view>{
          [](Message* m, std::string_view value) {
            static_cast<$0*>(m)->$3_$1()->assign(value.data(), value.size());
          },
          [](const Message& m, int$4) -> std::string_view {
            const auto& value = static_cast<const $0&>(m).$1($2);
            return {value.data(), value.size()};
          }})",
          alias, name, index, repeated ? "add" : "mutable",
          repeated ? " i" : "");
    default: {
      const ValueTypes types = TypesOf(field);
      return absl::Substitute(
          R"(ValueAccess<$5>{
          [](Message* m, $5 value) {
            static_cast<$0*>(m)->$3_$1(static_cast<$6>(value));
          },
          [](const Message& m, int$4) -> $5 {
            return static_cast<const $0&>(m).$1($2);
          }})",
          alias, name, index, repeated ? "add" : "set", repeated ? " i" : "",
          types.passed, types.taken);
    }
  }
}

// The struct that MakeMapAccess takes.
std::string MapCode(const std::string& alias, const std::string& name) {
  return absl::Substitute(R"(
struct $0_$1 {
  static auto* Mutable(Message* m) {
    return static_cast<$0*>(m)->mutable_$1();
  }
  static const auto& Get(const Message& m) {
    return static_cast<const $0&>(m).$1();
  }
};
)",
                          alias, name);
}

// What a map's values are; the field itself for others.
const FieldPlan& ElementOf(const FieldPlan& field) {
  return field.shape == FieldShape::kMap ? field.message->fields[1] : field;
}

std::string FieldCode(const FieldPlan& field, const std::string& alias,
                      int first_number) {
  const std::string name = FieldName(field.field);
  const FieldPlan& element = ElementOf(field);
  const auto* const oneof = field.field->real_containing_oneof();
  const auto call = [&](const char* type, const std::string& function) {
    return absl::Substitute(
        "[](const Message& m) -> $0 { return static_cast<const $1&>(m).$2(); }",
        type, alias, function);
  };
  return absl::StrCat(
      "    {", Literal(field.prefix), ", ", Literal(field.wire_name), ", ",
      Literal(field.alias), ",\n     FieldKind::", KindName(element.kind),
      ", FieldShape::", ShapeName(field.shape), ", ",
      field.required ? "true" : "false", ", ",
      oneof == nullptr ? -1 : oneof->index(), ", ", first_number, ",\n     ",
      field.shape == FieldShape::kMap
          ? absl::StrCat("MakeMapAccess<", alias, "_", name, ">()")
          : AccessCode(field, alias, name),
      ",\n     ",
      field.has_presence ? call("bool", absl::StrCat("has_", name)) : "nullptr",
      ",\n     ",
      field.shape == FieldShape::kSingular
          ? "nullptr"
          : call("int", absl::StrCat(name, "_size")),
      ",\n     [](Message* m) { static_cast<", alias, "*>(m)->clear_", name,
      "(); },\n     ",
      element.kind == FieldKind::kMessage
          ? absl::StrCat("&TableOf<",
                         QualifiedClassName(element.field->message_type()),
                         ">::table")
          : "nullptr",
      ",\n     ",
      element.kind == FieldKind::kEnum
          ? absl::StrCat("google::protobuf::GetEnumDescriptor<",
                         QualifiedClassName(element.field->enum_type()), ">")
          : "nullptr",
      "},\n");
}

std::string RequiredCode(const MessagePlan& plan) {
  json_internal::FieldMask mask = {};
  for (const FieldPlan& field : plan.fields) {
    if (field.required) {
      mask[field.index / 64] |= std::uint64_t{1} << (field.index % 64);
    }
  }
  std::string code = "{";
  for (const std::uint64_t word : mask) {
    absl::StrAppend(&code, code.size() == 1 ? "" : ", ", word, "u");
  }
  return code + "}";
}

}  // namespace

absl::Status CheckTableLimits(const Descriptor& message) {
  if (message.field_count() >
          static_cast<int>(json_internal::kMaxTableFields) ||
      message.real_oneof_decl_count() > json_internal::kMaxTableOneofs) {
    return absl::FailedPreconditionError(absl::StrCat(
        std::string(message.full_name()), ": more than ",
        json_internal::kMaxTableFields, " fields or ",
        json_internal::kMaxTableOneofs, " oneofs are not supported in JSON"));
  }
  return absl::OkStatus();
}

std::string TableCode(const Descriptor& message, const MessagePlan& plan,
                      const std::string& alias) {
  std::string code = absl::StrCat("\nusing ", alias, " = ",
                                  QualifiedClassName(&message), ";\n");
  const ShapeCode shape = MakeShapeCode(plan, alias);
  std::string fields;
  for (const FieldPlan& field : plan.fields) {
    if (field.shape == FieldShape::kMap) {
      code += MapCode(alias, FieldName(field.field));
    }
    fields += FieldCode(field, alias, shape.first_numbers[field.index]);
  }
  if (!fields.empty()) {
    absl::StrAppend(&code, "\nconstexpr FieldTable kFieldsOf", alias,
                    "[] = {\n", fields, "};\n");
  }
  absl::StrAppend(&code, shape.functions);
  absl::StrAppend(
      &code,
      absl::Substitute(
          R"(
}  // namespace

template <>
const MessageTable TableOf<$0>::table = {
    $1,
    $2,
    $3,
    [](Message* m) { $5; },
    []() -> Message* { return new $0; },
    [](Message* a, Message* b) {
      static_cast<$0*>(a)->Swap(static_cast<$0*>(b));
    },
    $4};

namespace {

TableRegistration registration_of_$0(typeid($0), TableOf<$0>::table);
)",
          alias, fields.empty() ? "nullptr" : absl::StrCat("kFieldsOf", alias),
          plan.fields.size(), RequiredCode(plan), shape.initializer,
          absl::Substitute(message.extension_range_count() > 0
                               ? "static_cast<$0*>(m)->Clear()"
                               : "ClearUnknownFields(static_cast<$0*>(m))",
                           alias)));
  return code;
}

}  // namespace json_plugin
}  // namespace tokenusage
