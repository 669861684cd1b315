// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/json/internal/reflection_message.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"

namespace tokenusage {
namespace json_internal {
namespace {

using ::google::protobuf::Descriptor;
using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::Message;
using ::google::protobuf::Reflection;

// google.protobuf.Timestamp's fields.
constexpr int kSecondsNumber = 1;
constexpr int kNanosNumber = 2;

}  // namespace

#define TOKENUSAGE_PUT(Type, value)                          \
  const Reflection& reflection = *message_->GetReflection(); \
  if (repeated()) {                                          \
    reflection.Add##Type(message_, plan_.field, value);      \
  } else {                                                   \
    reflection.Set##Type(message_, plan_.field, value);      \
  }

void ReflectionSlot::Put(double value) const { TOKENUSAGE_PUT(Double, value) }
void ReflectionSlot::Put(float value) const { TOKENUSAGE_PUT(Float, value) }
void ReflectionSlot::Put(std::int32_t value) const {
  TOKENUSAGE_PUT(Int32, value)
}
void ReflectionSlot::Put(std::int64_t value) const {
  TOKENUSAGE_PUT(Int64, value)
}
void ReflectionSlot::Put(std::uint32_t value) const {
  TOKENUSAGE_PUT(UInt32, value)
}
void ReflectionSlot::Put(std::uint64_t value) const {
  TOKENUSAGE_PUT(UInt64, value)
}
void ReflectionSlot::Put(bool value) const { TOKENUSAGE_PUT(Bool, value) }
void ReflectionSlot::PutText(std::string_view text) const {
  TOKENUSAGE_PUT(String, std::string(text))
}
void ReflectionSlot::PutEnum(int number) const {
    TOKENUSAGE_PUT(EnumValue, number)}
#undef TOKENUSAGE_PUT

Message* ReflectionSlot::NewMessage() const {
  const Reflection& reflection = *message_->GetReflection();
  return repeated() ? reflection.AddMessage(message_, plan_.field)
                    : reflection.MutableMessage(message_, plan_.field);
}

void ReflectionSlot::PutTime(const UnixTime& time) const {
  Message* const timestamp = NewMessage();
  const Descriptor& type = *timestamp->GetDescriptor();
  const Reflection& reflection = *timestamp->GetReflection();
  reflection.SetInt64(timestamp, type.FindFieldByNumber(kSecondsNumber),
                      time.seconds);
  reflection.SetInt32(timestamp, type.FindFieldByNumber(kNanosNumber),
                      time.nanos);
}

UnixTime LoadTime(const Message& timestamp) {
  const Descriptor& type = *timestamp.GetDescriptor();
  const Reflection& reflection = *timestamp.GetReflection();
  return {
      reflection.GetInt64(timestamp, type.FindFieldByNumber(kSecondsNumber)),
      reflection.GetInt32(timestamp, type.FindFieldByNumber(kNanosNumber))};
}

ReflectionSlot ReflectionField::Entry(Message* message,
                                      std::string_view key) const {
  Message* const entry =
      message->GetReflection()->AddMessage(message, plan_.field);
  ReflectionSlot(plan_.message->fields[0], entry).PutText(key);
  return {plan_.message->fields[1], entry};
}

std::string_view ReflectionField::Expected() const {
  if (plan_.shape == FieldShape::kRepeated) return "an array";
  if (plan_.shape == FieldShape::kMap) return "an object";
  return ExpectedOf(plan_.kind);
}

std::string ReflectionField::OneOfOneof() const {
  return absl::StrCat(
      "one member of ",
      std::string(plan_.field->real_containing_oneof()->name()));
}

std::string ReflectionField::AfterOther(const Message& message) const {
  const FieldDescriptor* const other =
      message.GetReflection()->GetOneofFieldDescriptor(
          message, plan_.field->real_containing_oneof());
  return absl::StrCat(plan_.wire_name, " after ", WireNameOf(*other));
}

bool ReflectionField::IsWritten(const Message& message) const {
  if (plan_.shape != FieldShape::kSingular) return Size(message) > 0;
  return !plan_.has_presence ||
         message.GetReflection()->HasField(message, plan_.field);
}

int ReflectionField::Size(const Message& message) const {
  return message.GetReflection()->FieldSize(message, plan_.field);
}

ReflectionField::Entries ReflectionField::SortedEntries(
    const Message& message) const {
  const Reflection& reflection = *message.GetReflection();
  Entries entries;
  for (int i = 0; i < Size(message); ++i) {
    const Message& entry =
        reflection.GetRepeatedMessage(message, plan_.field, i);
    entries.emplace_back(
        entry.GetReflection()->GetString(entry, plan_.message->fields[0].field),
        &entry);
  }
  const auto less = [](const auto& a, const auto& b) {
    return a.first < b.first;
  };
  const auto same = [](const auto& a, const auto& b) {
    return a.first == b.first;
  };
  std::stable_sort(entries.begin(), entries.end(), less);
  const auto rest = std::unique(entries.rbegin(), entries.rend(), same);
  entries.erase(entries.begin(), rest.base());
  return entries;
}

}  // namespace json_internal
}  // namespace tokenusage
