// Access to a message's fields by their plans.
//
// Store functions set a singular field and add to a repeated one. Load
// functions read the element `index` of a repeated field; of a singular one,
// which takes kSingular for an index, its value. A map is a repeated field of
// entries.

#ifndef TOKENUSAGE_JSON_FIELD_ACCESS_H_
#define TOKENUSAGE_JSON_FIELD_ACCESS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "google/protobuf/message.h"
#include "tokenusage/json/message_plan.h"
#include "tokenusage/json/text_forms.h"

namespace tokenusage {
namespace json_internal {

using google::protobuf::Message;

inline constexpr int kSingular = -1;

void StoreDouble(const FieldPlan& plan, double value, Message* message);
void StoreFloat(const FieldPlan& plan, float value, Message* message);
void StoreInt32(const FieldPlan& plan, std::int32_t value, Message* message);
void StoreInt64(const FieldPlan& plan, std::int64_t value, Message* message);
void StoreUInt32(const FieldPlan& plan, std::uint32_t value, Message* message);
void StoreUInt64(const FieldPlan& plan, std::uint64_t value, Message* message);
void StoreBool(const FieldPlan& plan, bool value, Message* message);
void StoreString(const FieldPlan& plan, std::string value, Message* message);
// False where the enum has no value of that name.
bool StoreEnum(const FieldPlan& plan, std::string_view name, Message* message);
void StoreTimestamp(const FieldPlan& plan, const UnixTime& time,
                    Message* message);
Message* StoreMessage(const FieldPlan& plan, Message* message);

double LoadDouble(const FieldPlan& plan, const Message& message, int index);
float LoadFloat(const FieldPlan& plan, const Message& message, int index);
std::int32_t LoadInt32(const FieldPlan& plan, const Message& message,
                       int index);
std::int64_t LoadInt64(const FieldPlan& plan, const Message& message,
                       int index);
std::uint32_t LoadUInt32(const FieldPlan& plan, const Message& message,
                         int index);
std::uint64_t LoadUInt64(const FieldPlan& plan, const Message& message,
                         int index);
bool LoadBool(const FieldPlan& plan, const Message& message, int index);
// `scratch` may hold what is returned.
const std::string& LoadString(const FieldPlan& plan, const Message& message,
                              int index, std::string* scratch);
// False where the number has no name; `*number` is set in any case.
bool LoadEnum(const FieldPlan& plan, const Message& message, int index,
              std::string* name, int* number);
UnixTime LoadTimestamp(const FieldPlan& plan, const Message& message,
                       int index);
const Message& LoadMessage(const FieldPlan& plan, const Message& message,
                           int index);

// Whether a field with presence is set.
bool IsSet(const FieldPlan& plan, const Message& message);

// The number of elements of a repeated field or a map.
int CountElements(const FieldPlan& plan, const Message& message);

// The name of the member of the field's oneof that is set; empty for none, or
// where the field is not in a oneof.
std::string SetOneofMember(const FieldPlan& plan, const Message& message);

}  // namespace json_internal
}  // namespace tokenusage

#endif  // TOKENUSAGE_JSON_FIELD_ACCESS_H_
