// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/record/usage_rules.h"

#include <charconv>
#include <map>
#include <utility>
#include <vector>

#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "tokenusage/base/string_view.h"
#include "tokenusage/record/token_amount.h"
#include "tokenusage/record/token_counts.h"
#include "tokenusage/v1/options.pb.h"

namespace tokenusage {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// The fields of a message type that have a rule, in declaration order.
struct TypeRules {
  const Reflection* reflection;
  struct Field {
    const FieldDescriptor* field;
    bool required;
    const TypeRules* nested;  // null unless the field is a message
  };
  std::vector<Field> fields;
};

// The rules of every type that the oneof `usage` reaches. Built once: reading
// options takes several times longer than the check itself.
class UsageRules {
 public:
  struct Member {
    const FieldDescriptor* field = nullptr;
    const TypeRules* rules = nullptr;
    // How many counts the usage has if all are set and none of its rules is
    // about anything else; else -1.
    int count_fields = -1;
  };

  static const UsageRules& Get() {
    static const auto* const rules = new UsageRules;
    return *rules;
  }

  // `number` is that of a member of the oneof.
  const Member& MemberOf(int number) const {
    return members_[static_cast<std::size_t>(number)];
  }

 private:
  UsageRules() {
    const auto* const oneof =
        v1::UsageRecord::descriptor()->FindOneofByName("usage");
    for (int i = 0; i < oneof->field_count(); ++i) {
      const FieldDescriptor* const field = oneof->field(i);
      const auto number = static_cast<std::size_t>(field->number());
      if (number >= members_.size()) members_.resize(number + 1);
      const TypeRules& rules = Build(field->message_type());
      members_[number] = {field, &rules, CountFields(rules)};
    }
  }

  // Types may contain themselves: the rules are entered before they are filled.
  const TypeRules& Build(const Descriptor* type) {
    const auto [entry, is_new] = types_.try_emplace(type);
    TypeRules& rules = entry->second;
    if (!is_new) return rules;
    for (int i = 0; i < type->field_count(); ++i) {
      const FieldDescriptor* const field = type->field(i);
      const bool required = field->options().GetExtension(v1::required);
      const Descriptor* const nested = field->message_type();
      const bool is_count =
          field->cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE;
      if (required || is_count || nested != nullptr) {
        rules.fields.push_back(
            {field, required, nested == nullptr ? nullptr : &Build(nested)});
      }
    }
    return rules;
  }

  static int CountFields(const TypeRules& rules) {
    int sum = 0;
    for (const TypeRules::Field& rule : rules.fields) {
      const bool is_double =
          rule.field->cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE;
      if (rule.field->is_repeated() || !(is_double || rule.nested)) return -1;
      const int fields = is_double ? 1 : CountFields(*rule.nested);
      if (fields < 0) return -1;
      sum += fields;
    }
    return sum;
  }

  std::map<const Descriptor*, TypeRules> types_;
  std::vector<Member> members_;  // by field number
};

bool IsInRange(double count) { return count >= 0 && count <= kMaxTokenCount; }

std::optional<Violation> CheckCount(double count,
                                    const FieldDescriptor* field) {
  if (IsInRange(count)) return std::nullopt;
  char text[32];
  char* const end = std::to_chars(text, text + sizeof(text), count).ptr;
  return Violation{
      v1::RECORD_ERROR_REASON_COUNT_OUT_OF_RANGE, std::string(field->name()),
      "expected a number from 0 to 9007199254740992 (2^53), found " +
          std::string(text, end)};
}

void Prepend(const FieldDescriptor& field, Violation* violation) {
  violation->field.insert(0, std::string(field.name()) + '.');
}

std::optional<Violation> CheckFields(const Message& message,
                                     const TypeRules& rules);

// Checks a singular field that is set, or one element of a repeated one.
std::optional<Violation> CheckValue(const Message& message,
                                    const TypeRules::Field& rule, int index) {
  const Reflection& reflection = *message.GetReflection();
  const FieldDescriptor* const field = rule.field;
  const bool repeated = field->is_repeated();
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return CheckCount(
          repeated ? reflection.GetRepeatedDouble(message, field, index)
                   : reflection.GetDouble(message, field),
          field);
    case FieldDescriptor::CPPTYPE_MESSAGE: {
      std::optional<Violation> violation = CheckFields(
          repeated ? reflection.GetRepeatedMessage(message, field, index)
                   : reflection.GetMessage(message, field),
          *rule.nested);
      if (violation) Prepend(*field, &*violation);
      return violation;
    }
    default:
      return std::nullopt;
  }
}

std::optional<Violation> CheckFields(const Message& message,
                                     const TypeRules& rules) {
  const Reflection& reflection = *message.GetReflection();
  for (const TypeRules::Field& rule : rules.fields) {
    int size = 1;
    if (rule.field->is_repeated()) {
      size = reflection.FieldSize(message, rule.field);
    } else if (rule.field->has_presence() &&
               !reflection.HasField(message, rule.field)) {
      if (rule.required) return MissingField(FromAbsl(rule.field->name()));
      size = 0;
    }
    for (int i = 0; i < size; ++i) {
      if (auto violation = CheckValue(message, rule, i)) return violation;
    }
  }
  return std::nullopt;
}

// Returns whether all counts of the usage are set and in range. They are read
// without Reflection, which would take longer than all other checks together.
bool HasEveryCount(const v1::UsageRecord& record,
                   const UsageRules::Member& member) {
  int good = 0;
  ForEachCount(record, [&good](TokenMeasure, bool is_set, double count) {
    if (is_set && IsInRange(count)) ++good;
  });
  return good == member.count_fields;
}

}  // namespace

Violation MissingField(std::string_view field) {
  return {v1::RECORD_ERROR_REASON_FIELD_MISSING, std::string(field),
          "expected a value, found none: it is required"};
}

std::optional<Violation> FindUsageViolation(const v1::UsageRecord& record) {
  if (record.usage_case() == v1::UsageRecord::USAGE_NOT_SET) {
    return MissingField("usage");
  }
  const UsageRules::Member& member =
      UsageRules::Get().MemberOf(record.usage_case());
  if (HasEveryCount(record, member)) return std::nullopt;
  std::optional<Violation> violation = CheckFields(
      record.GetReflection()->GetMessage(record, member.field), *member.rules);
  if (violation) Prepend(*member.field, &*violation);
  return violation;
}

}  // namespace tokenusage
