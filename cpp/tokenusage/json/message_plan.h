// How a message maps to JSON: one table per message, made once.

#ifndef TOKENUSAGE_JSON_MESSAGE_PLAN_H_
#define TOKENUSAGE_JSON_MESSAGE_PLAN_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/descriptor.h"
#include "tokenusage/json/field_kind.h"

namespace tokenusage {
namespace json_internal {

struct MessagePlan;

struct FieldPlan {
  const google::protobuf::FieldDescriptor* field = nullptr;
  FieldKind kind = FieldKind::kDouble;  // of each element; kMessage for a map
  FieldShape shape = FieldShape::kSingular;
  std::size_t index = 0;  // in MessagePlan::fields
  bool required = false;
  bool has_presence = false;
  std::string wire_name;
  std::string alias;   // wire_name in lowerCamelCase
  std::string prefix;  // "wire_name": as it is written
  // Of kMessage; for a map, of its entries: fields 0 and 1 are key and value.
  const MessagePlan* message = nullptr;
};

struct MessagePlan {
  // The field of that wire name or alias; null for none.
  const FieldPlan* Find(std::string_view name) const;

  std::vector<FieldPlan> fields;  // in declaration order
  absl::flat_hash_map<absl::string_view, const FieldPlan*> by_name;
};

// The plans of a message and of all messages in it.
using PlanSet = absl::flat_hash_map<const google::protobuf::Descriptor*,
                                    std::unique_ptr<MessagePlan>>;

// A message's plan, with its owner where it does not live for ever.
struct PlanHandle {
  const MessagePlan* plan = nullptr;
  std::shared_ptr<const PlanSet> owner;
};

// The plan of a message type. FAILED_PRECONDITION, with a message that names
// the field, where the type cannot be mapped: a json_name that is not the wire
// name, two fields of one name, a misplaced (tokenusage.v1.required), a map
// whose keys are not strings, a group, or a well-known type with a JSON form of
// its own, other than Timestamp. Plans of compiled-in messages are kept.
// Thread-safe.
absl::StatusOr<PlanHandle> GetMessagePlan(
    const google::protobuf::Descriptor* descriptor);

// The lowerCamelCase form of a name, as ProtoJSON derives it.
std::string LowerCamelCase(std::string_view name);

}  // namespace json_internal
}  // namespace tokenusage

#endif  // TOKENUSAGE_JSON_MESSAGE_PLAN_H_
