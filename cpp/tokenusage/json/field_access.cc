#include "tokenusage/json/field_access.h"

#include <utility>

#include "google/protobuf/descriptor.h"

namespace tokenusage {
namespace json_internal {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::OneofDescriptor;
using google::protobuf::Reflection;

// google.protobuf.Timestamp's fields, which may be another pool's.
constexpr int kSecondsNumber = 1;
constexpr int kNanosNumber = 2;

bool IsRepeated(const FieldPlan& plan) {
  return plan.shape != FieldShape::kSingular;
}

}  // namespace

void StoreDouble(const FieldPlan& plan, double value, Message* message) {
  const Reflection& reflection = *message->GetReflection();
  if (IsRepeated(plan)) {
    reflection.AddDouble(message, plan.field, value);
  } else {
    reflection.SetDouble(message, plan.field, value);
  }
}

void StoreFloat(const FieldPlan& plan, float value, Message* message) {
  const Reflection& reflection = *message->GetReflection();
  if (IsRepeated(plan)) {
    reflection.AddFloat(message, plan.field, value);
  } else {
    reflection.SetFloat(message, plan.field, value);
  }
}

void StoreInt32(const FieldPlan& plan, std::int32_t value, Message* message) {
  const Reflection& reflection = *message->GetReflection();
  if (IsRepeated(plan)) {
    reflection.AddInt32(message, plan.field, value);
  } else {
    reflection.SetInt32(message, plan.field, value);
  }
}

void StoreInt64(const FieldPlan& plan, std::int64_t value, Message* message) {
  const Reflection& reflection = *message->GetReflection();
  if (IsRepeated(plan)) {
    reflection.AddInt64(message, plan.field, value);
  } else {
    reflection.SetInt64(message, plan.field, value);
  }
}

void StoreUInt32(const FieldPlan& plan, std::uint32_t value, Message* message) {
  const Reflection& reflection = *message->GetReflection();
  if (IsRepeated(plan)) {
    reflection.AddUInt32(message, plan.field, value);
  } else {
    reflection.SetUInt32(message, plan.field, value);
  }
}

void StoreUInt64(const FieldPlan& plan, std::uint64_t value, Message* message) {
  const Reflection& reflection = *message->GetReflection();
  if (IsRepeated(plan)) {
    reflection.AddUInt64(message, plan.field, value);
  } else {
    reflection.SetUInt64(message, plan.field, value);
  }
}

void StoreBool(const FieldPlan& plan, bool value, Message* message) {
  const Reflection& reflection = *message->GetReflection();
  if (IsRepeated(plan)) {
    reflection.AddBool(message, plan.field, value);
  } else {
    reflection.SetBool(message, plan.field, value);
  }
}

void StoreString(const FieldPlan& plan, std::string value, Message* message) {
  const Reflection& reflection = *message->GetReflection();
  if (IsRepeated(plan)) {
    reflection.AddString(message, plan.field, std::move(value));
  } else {
    reflection.SetString(message, plan.field, std::move(value));
  }
}

bool StoreEnum(const FieldPlan& plan, std::string_view name, Message* message) {
  const EnumValueDescriptor* const value =
      plan.field->enum_type()->FindValueByName(std::string(name));
  if (value == nullptr) return false;
  const Reflection& reflection = *message->GetReflection();
  if (IsRepeated(plan)) {
    reflection.AddEnum(message, plan.field, value);
  } else {
    reflection.SetEnum(message, plan.field, value);
  }
  return true;
}

void StoreTimestamp(const FieldPlan& plan, const UnixTime& time,
                    Message* message) {
  Message* const timestamp = StoreMessage(plan, message);
  const Descriptor& type = *timestamp->GetDescriptor();
  const Reflection& reflection = *timestamp->GetReflection();
  reflection.SetInt64(timestamp, type.FindFieldByNumber(kSecondsNumber),
                      time.seconds);
  reflection.SetInt32(timestamp, type.FindFieldByNumber(kNanosNumber),
                      time.nanos);
}

Message* StoreMessage(const FieldPlan& plan, Message* message) {
  const Reflection& reflection = *message->GetReflection();
  return IsRepeated(plan) ? reflection.AddMessage(message, plan.field)
                          : reflection.MutableMessage(message, plan.field);
}

double LoadDouble(const FieldPlan& plan, const Message& message, int index) {
  const Reflection& reflection = *message.GetReflection();
  return index == kSingular
             ? reflection.GetDouble(message, plan.field)
             : reflection.GetRepeatedDouble(message, plan.field, index);
}

float LoadFloat(const FieldPlan& plan, const Message& message, int index) {
  const Reflection& reflection = *message.GetReflection();
  return index == kSingular
             ? reflection.GetFloat(message, plan.field)
             : reflection.GetRepeatedFloat(message, plan.field, index);
}

std::int32_t LoadInt32(const FieldPlan& plan, const Message& message,
                       int index) {
  const Reflection& reflection = *message.GetReflection();
  return index == kSingular
             ? reflection.GetInt32(message, plan.field)
             : reflection.GetRepeatedInt32(message, plan.field, index);
}

std::int64_t LoadInt64(const FieldPlan& plan, const Message& message,
                       int index) {
  const Reflection& reflection = *message.GetReflection();
  return index == kSingular
             ? reflection.GetInt64(message, plan.field)
             : reflection.GetRepeatedInt64(message, plan.field, index);
}

std::uint32_t LoadUInt32(const FieldPlan& plan, const Message& message,
                         int index) {
  const Reflection& reflection = *message.GetReflection();
  return index == kSingular
             ? reflection.GetUInt32(message, plan.field)
             : reflection.GetRepeatedUInt32(message, plan.field, index);
}

std::uint64_t LoadUInt64(const FieldPlan& plan, const Message& message,
                         int index) {
  const Reflection& reflection = *message.GetReflection();
  return index == kSingular
             ? reflection.GetUInt64(message, plan.field)
             : reflection.GetRepeatedUInt64(message, plan.field, index);
}

bool LoadBool(const FieldPlan& plan, const Message& message, int index) {
  const Reflection& reflection = *message.GetReflection();
  return index == kSingular
             ? reflection.GetBool(message, plan.field)
             : reflection.GetRepeatedBool(message, plan.field, index);
}

const std::string& LoadString(const FieldPlan& plan, const Message& message,
                              int index, std::string* scratch) {
  const Reflection& reflection = *message.GetReflection();
  return index == kSingular
             ? reflection.GetStringReference(message, plan.field, scratch)
             : reflection.GetRepeatedStringReference(message, plan.field, index,
                                                     scratch);
}

bool LoadEnum(const FieldPlan& plan, const Message& message, int index,
              std::string* name, int* number) {
  const Reflection& reflection = *message.GetReflection();
  *number = index == kSingular
                ? reflection.GetEnumValue(message, plan.field)
                : reflection.GetRepeatedEnumValue(message, plan.field, index);
  const EnumValueDescriptor* const value =
      plan.field->enum_type()->FindValueByNumber(*number);
  if (value == nullptr) return false;
  *name = std::string(value->name());
  return true;
}

UnixTime LoadTimestamp(const FieldPlan& plan, const Message& message,
                       int index) {
  const Message& timestamp = LoadMessage(plan, message, index);
  const Descriptor& type = *timestamp.GetDescriptor();
  const Reflection& reflection = *timestamp.GetReflection();
  return {
      reflection.GetInt64(timestamp, type.FindFieldByNumber(kSecondsNumber)),
      reflection.GetInt32(timestamp, type.FindFieldByNumber(kNanosNumber))};
}

const Message& LoadMessage(const FieldPlan& plan, const Message& message,
                           int index) {
  const Reflection& reflection = *message.GetReflection();
  return index == kSingular
             ? reflection.GetMessage(message, plan.field)
             : reflection.GetRepeatedMessage(message, plan.field, index);
}

bool IsSet(const FieldPlan& plan, const Message& message) {
  return message.GetReflection()->HasField(message, plan.field);
}

int CountElements(const FieldPlan& plan, const Message& message) {
  return message.GetReflection()->FieldSize(message, plan.field);
}

std::string SetOneofMember(const FieldPlan& plan, const Message& message) {
  const OneofDescriptor* const oneof = plan.field->real_containing_oneof();
  if (oneof == nullptr) return std::string();
  const FieldDescriptor* const member =
      message.GetReflection()->GetOneofFieldDescriptor(message, oneof);
  return member == nullptr ? std::string() : std::string(member->name());
}

}  // namespace json_internal
}  // namespace tokenusage
