// SPDX-License-Identifier: Apache-2.0

// The rules that every usage must keep, read from its schema: a new usage
// message needs no code here.
//
//   static const UsageRules rules(openai::v1::ChatUsage::descriptor());
//   if (std::optional<UsageViolation> violation = rules.Find(usage)) {
//     return Refuse(violation->field, violation->message);
//   }

#ifndef TOKENUSAGE_USAGE_USAGE_RULES_H_
#define TOKENUSAGE_USAGE_USAGE_RULES_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace tokenusage {

// A broken rule of a usage.
struct UsageViolation {
  bool is_missing = false;  // else the number is out of range
  std::string field;        // its path from the usage message on
  std::string message;      // what was expected and found
};

// The rules of one message type. Thread-safe.
class UsageRules {
 public:
  // Builds the rules: reading options takes several times longer than a check.
  explicit UsageRules(const ::google::protobuf::Descriptor* type);

  UsageRules(const UsageRules&) = delete;
  UsageRules& operator=(const UsageRules&) = delete;

  // Returns the first field, in declaration order and depth first, that is
  // marked with (tokenusage.v1.required) and not set, or is a number that is
  // not finite or not from 0 to kMaxCount. `usage` must be of the type.
  std::optional<UsageViolation> Find(
      const ::google::protobuf::Message& usage) const;

 private:
  // The fields of one message type that have a rule, in declaration order.
  struct TypeRules {
    struct Field {
      const ::google::protobuf::FieldDescriptor* field;
      bool required;
      const TypeRules* nested;  // null unless the field is a message
    };
    std::vector<Field> fields;
  };

  const TypeRules& Build(const ::google::protobuf::Descriptor* type);

  static std::optional<UsageViolation> FindInFields(
      const ::google::protobuf::Message& message, const TypeRules& rules);
  static std::optional<UsageViolation> FindInValue(
      const ::google::protobuf::Message& message, const TypeRules::Field& rule,
      int index);

  std::map<const ::google::protobuf::Descriptor*, TypeRules> types_;
  const TypeRules& root_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_USAGE_USAGE_RULES_H_
