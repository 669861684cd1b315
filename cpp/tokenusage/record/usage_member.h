// SPDX-License-Identifier: Apache-2.0

// The rules of each kind of usage that a record may have.
//
//   const UsageMember& member = UsageMember::Of(record);
//   if (auto violation = member.Find(record, CountRecord(record))) {
//     return Refuse(member.name(), *violation);
//   }

#ifndef TOKENUSAGE_RECORD_USAGE_MEMBER_H_
#define TOKENUSAGE_RECORD_USAGE_MEMBER_H_

#include <optional>
#include <string>
#include <vector>

#include "google/protobuf/descriptor.h"
#include "tokenusage/usage/usage_counts.h"
#include "tokenusage/usage/usage_rules.h"
#include "tokenusage/v1/usage_record.pb.h"

namespace tokenusage {

// The field numbers that usage_record.proto reserves for the oneof `usage`.
inline constexpr int kFirstUsageMember = 16;
inline constexpr int kLastUsageMember = 999;

// One member of the oneof `usage`. Thread-safe.
class UsageMember {
 public:
  // Builds the rules of a member of the oneof.
  explicit UsageMember(const ::google::protobuf::FieldDescriptor* field);

  // Returns the member that the record has. Its usage must be set.
  static const UsageMember& Of(const v1::UsageRecord& record);

  std::string name() const { return std::string(field_->name()); }

  // Returns the first violation of UsageRules in the usage of a record that has
  // this member. `counts` are those of the record. Fast if there is none.
  std::optional<UsageViolation> Find(const v1::UsageRecord& record,
                                     const UsageCounts& counts) const;

 private:
  // A field, and the Reflection of its message, which is slow to find.
  struct Step {
    const ::google::protobuf::FieldDescriptor* field;
    const ::google::protobuf::Reflection* reflection;
  };

  static bool IsSetIfPossible(const ::google::protobuf::Message& usage,
                              const std::vector<Step>& path);

  const ::google::protobuf::FieldDescriptor* const field_;
  const UsageRules rules_;
  // The paths of the required fields, from the usage on.
  std::vector<std::vector<Step>> required_;
  // Whether counting notices each number that is out of range, and each
  // required field that is not set.
  bool notices_range_ = false;
  bool notices_absence_ = false;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_RECORD_USAGE_MEMBER_H_
