// SPDX-License-Identifier: Apache-2.0
//
// Describes how a message maps to JSON, derived once from its descriptor.
//
//   absl::StatusOr<PlanHandle> handle = GetMessagePlan(descriptor);
//   if (!handle.ok()) return handle.status();  // the type cannot be mapped
//   const FieldPlan* field = handle->plan->Find("totalTokens");

#ifndef TOKENUSAGE_JSON_INTERNAL_MESSAGE_PLAN_H_
#define TOKENUSAGE_JSON_INTERNAL_MESSAGE_PLAN_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/descriptor.h"
#include "tokenusage/json/internal/field_kind.h"

namespace tokenusage {
namespace json_internal {

struct MessagePlan;

// The names of an enum's values. Thread-safe.
class EnumNames {
 public:
  explicit EnumNames(const ::google::protobuf::EnumDescriptor& type);

  // Finds the number of a value. Returns false if there is no value of that
  // name.
  bool FindNumber(std::string_view name, int* number) const;

  // Returns the first name of the number; an empty one if it has none.
  std::string_view FindName(int number) const;

 private:
  absl::flat_hash_map<std::string, int> numbers_;
  absl::flat_hash_map<int, std::string> names_;
};

// How one field maps to JSON.
struct FieldPlan {
  const ::google::protobuf::FieldDescriptor* field = nullptr;
  FieldKind kind = FieldKind::kDouble;  // of each element; kMessage for a map
  FieldShape shape = FieldShape::kSingular;
  std::size_t index = 0;  // in MessagePlan::fields
  bool required = false;  // by (tokenusage.v1.required) or by proto2
  bool has_presence = false;
  int oneof = -1;  // the index of its oneof in the message; -1 for none
  std::string wire_name;
  std::string alias;   // wire_name in lowerCamelCase
  std::string quoted;  // "wire_name": with its quotes and the colon
  // The plan of a kMessage field's type; for a map, that of its entries, whose
  // fields 0 and 1 are key and value.
  const MessagePlan* message = nullptr;
  std::shared_ptr<const EnumNames> enum_names;  // of kEnum
};

struct MessagePlan {
  // Returns the field of that wire name or alias; null if there is none.
  const FieldPlan* Find(std::string_view name) const;

  std::vector<FieldPlan> fields;  // in declaration order
  absl::flat_hash_map<absl::string_view, const FieldPlan*> by_name;
};

// The plans of a message and of all messages in it.
using PlanSet = absl::flat_hash_map<const ::google::protobuf::Descriptor*,
                                    std::unique_ptr<MessagePlan>>;

// A message's plan, and its owner if it does not live as long as the process.
struct PlanHandle {
  const MessagePlan* plan = nullptr;
  std::shared_ptr<const PlanSet> owner;
};

// Returns the plan of a message type. FAILED_PRECONDITION, with a message that
// names the field, if the type cannot be mapped: a json_name that is not the
// wire name, two fields of one name, a misplaced (tokenusage.v1.required), a
// map whose keys are not strings, a group, NullValue, or a well-known type
// other than Timestamp that ProtoJSON represents in its own way. No well-known
// type can be the root. Plans of compiled-in messages are kept. Thread-safe.
absl::StatusOr<PlanHandle> GetMessagePlan(
    const ::google::protobuf::Descriptor* descriptor);

// Returns the name of a field's member in JSON.
std::string WireNameOf(const ::google::protobuf::FieldDescriptor& field);

// Returns a name in lowerCamelCase, as ProtoJSON derives it.
std::string LowerCamelCase(std::string_view name);

}  // namespace json_internal
}  // namespace tokenusage

#endif  // TOKENUSAGE_JSON_INTERNAL_MESSAGE_PLAN_H_
