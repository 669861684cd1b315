// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/usage/usage_rules.h"

#include <charconv>
#include <cstdint>
#include <string>

#include "tokenusage/base/string_view.h"
#include "tokenusage/usage/amount.h"
#include "tokenusage/v1/options.pb.h"

namespace tokenusage {
namespace {

using ::google::protobuf::Descriptor;
using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::Message;
using ::google::protobuf::Reflection;

bool IsNumber(const FieldDescriptor* field) {
  return field->cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE ||
         field->cpp_type() == FieldDescriptor::CPPTYPE_INT64;
}

template <typename Number>
std::optional<UsageViolation> CheckRange(Number number,
                                         const FieldDescriptor* field) {
  if (number >= 0 && number <= static_cast<Number>(kMaxCount)) {
    return std::nullopt;
  }
  char text[32];
  char* const end = std::to_chars(text, text + sizeof(text), number).ptr;
  return UsageViolation{
      false, std::string(field->name()),
      "expected a number from 0 to 9007199254740992 (2^53), found " +
          std::string(text, end)};
}

}  // namespace

UsageRules::UsageRules(const Descriptor* type) : root_(Build(type)) {}

// Types may contain themselves: the rules are entered before they are filled.
const UsageRules::TypeRules& UsageRules::Build(const Descriptor* type) {
  const auto [entry, is_new] = types_.try_emplace(type);
  TypeRules& rules = entry->second;
  if (!is_new) return rules;
  for (int i = 0; i < type->field_count(); ++i) {
    const FieldDescriptor* const field = type->field(i);
    const bool required = field->options().GetExtension(v1::required);
    const Descriptor* const nested = field->message_type();
    if (required || nested != nullptr || IsNumber(field)) {
      rules.fields.push_back(
          {field, required, nested == nullptr ? nullptr : &Build(nested)});
    }
  }
  return rules;
}

// Checks a singular field's value, or one element of a repeated field.
std::optional<UsageViolation> UsageRules::FindInValue(
    const Message& message, const TypeRules::Field& rule, int index) {
  const Reflection& reflection = *message.GetReflection();
  const FieldDescriptor* const field = rule.field;
  const bool repeated = field->is_repeated();
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return CheckRange(
          repeated ? reflection.GetRepeatedDouble(message, field, index)
                   : reflection.GetDouble(message, field),
          field);
    case FieldDescriptor::CPPTYPE_INT64:
      return CheckRange(repeated
                            ? reflection.GetRepeatedInt64(message, field, index)
                            : reflection.GetInt64(message, field),
                        field);
    case FieldDescriptor::CPPTYPE_MESSAGE: {
      std::optional<UsageViolation> violation = FindInFields(
          repeated ? reflection.GetRepeatedMessage(message, field, index)
                   : reflection.GetMessage(message, field),
          *rule.nested);
      if (violation) {
        violation->field.insert(0, std::string(field->name()) + '.');
      }
      return violation;
    }
    default:
      return std::nullopt;
  }
}

std::optional<UsageViolation> UsageRules::FindInFields(const Message& message,
                                                       const TypeRules& rules) {
  const Reflection& reflection = *message.GetReflection();
  for (const TypeRules::Field& rule : rules.fields) {
    int size = 1;
    if (rule.field->is_repeated()) {
      size = reflection.FieldSize(message, rule.field);
    } else if (rule.field->has_presence() &&
               !reflection.HasField(message, rule.field)) {
      if (rule.required) {
        return UsageViolation{true, std::string(FromAbsl(rule.field->name())),
                              "expected a value, found none: it is required"};
      }
      size = 0;
    }
    for (int i = 0; i < size; ++i) {
      if (auto violation = FindInValue(message, rule, i)) return violation;
    }
  }
  return std::nullopt;
}

std::optional<UsageViolation> UsageRules::Find(const Message& usage) const {
  return FindInFields(usage, root_);
}

}  // namespace tokenusage
