// SPDX-License-Identifier: Apache-2.0
//
// Lets the reader and the writer reach the fields of any message, by
// Reflection.
//
//   Violation violation;
//   Reader<true> reader(json, strict, &violation);
//   reader.ReadDocument(path, ReflectionTable(plan), message);

#ifndef TOKENUSAGE_JSON_INTERNAL_REFLECTION_MESSAGE_H_
#define TOKENUSAGE_JSON_INTERNAL_REFLECTION_MESSAGE_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "google/protobuf/message.h"
#include "tokenusage/json/internal/field_kind.h"
#include "tokenusage/json/internal/message_plan.h"
#include "tokenusage/json/internal/text_values.h"

namespace tokenusage {
namespace json_internal {

class ReflectionTable;

// Reads a google.protobuf.Timestamp of any descriptor pool.
UnixTime LoadTime(const ::google::protobuf::Message& timestamp);

// The destination of a field's value: a singular field is set, a repeated one
// gets one more element.
class ReflectionSlot {
 public:
  ReflectionSlot(const FieldPlan& plan, ::google::protobuf::Message* message)
      : plan_(plan), message_(message) {}

  void Put(double value) const;
  void Put(float value) const;
  void Put(std::int32_t value) const;
  void Put(std::int64_t value) const;
  void Put(std::uint32_t value) const;
  void Put(std::uint64_t value) const;
  void Put(bool value) const;
  void PutText(std::string_view text) const;
  void PutEnum(int number) const;
  void PutTime(const UnixTime& time) const;
  ::google::protobuf::Message* NewMessage() const;

 private:
  bool repeated() const { return plan_.shape == FieldShape::kRepeated; }

  const FieldPlan& plan_;
  ::google::protobuf::Message* const message_;
};

// A field of a message type, for the reader and the writer.
class ReflectionField {
 public:
  using Message = ::google::protobuf::Message;
  static constexpr bool kGenerated = false;

  explicit ReflectionField(const FieldPlan& plan) : plan_(plan) {}

  std::size_t index() const { return plan_.index; }
  FieldShape shape() const { return plan_.shape; }
  FieldKind kind() const { return value_plan().kind; }
  bool required() const { return plan_.required; }
  int oneof() const { return plan_.oneof; }
  std::string_view wire_name() const { return plan_.wire_name; }
  std::string_view quoted() const { return plan_.quoted; }
  const EnumNames& enum_names() const { return *value_plan().enum_names; }
  ReflectionTable table() const;

  // Returns whether quoted() stands at `p`; false if it exceeds kMaxSize bytes.
  template <std::size_t kMaxSize>
  bool IsQuotedAt(const char* p) const {
    const std::string& quoted = plan_.quoted;
    return quoted.size() <= kMaxSize && p[1] == quoted[1] &&
           std::memcmp(p, quoted.data(), quoted.size()) == 0;
  }

  // Returns the name of the expected type in errors.
  std::string_view Expected() const;
  std::string OneOfOneof() const;
  std::string AfterOther(const Message& message) const;

  ReflectionSlot Singular(Message* message) const { return {plan_, message}; }
  ReflectionSlot Element(Message* message) const { return {plan_, message}; }
  ReflectionSlot Entry(Message* message, std::string_view key) const;
  // Do nothing, since the message that is read into is new.
  void Clear(Message*) const {}
  void ClearIfAbsent(Message*) const {}

  // Returns whether the field is set or, without presence, singular or not
  // empty.
  bool IsWritten(const Message& message) const;
  // Calls `write(value)`, with the type that belongs to the kind: text and
  // bytes are a std::string_view, enums an int, times a UnixTime.
  template <FieldKind kKind, typename Write>
  auto WithValue(const Message& message, Write write) const {
    return LoadValue<kKind>(plan_, message, kSingular, write);
  }
  int Size(const Message& message) const;
  template <FieldKind kKind, typename Write>
  auto WithElement(const Message& message, int index, Write write) const {
    return LoadValue<kKind>(plan_, message, index, write);
  }
  // A map's entries in the order of their keys' bytes. A map that was put
  // together as a list of entries may hold a key twice: the last one counts.
  using Entries = std::vector<std::pair<std::string, const Message*>>;
  Entries SortedEntries(const Message& message) const;
  template <FieldKind kKind, typename Write>
  auto WithMapValue(const Message* entry, Write write) const {
    return LoadValue<kKind>(value_plan(), *entry, kSingular, write);
  }

 private:
  static constexpr int kSingular = -1;

  const FieldPlan& value_plan() const {
    return plan_.shape == FieldShape::kMap ? plan_.message->fields[1] : plan_;
  }

  // Reads the element `index` of a repeated field, or a singular field.
  template <FieldKind kKind, typename Write>
  static auto LoadValue(const FieldPlan& plan, const Message& message,
                        int index, Write write);

  const FieldPlan& plan_;
};

// The fields of a message type, for the reader and the writer.
class ReflectionTable {
 public:
  using Message = ::google::protobuf::Message;
  class Seen {
   public:
    explicit Seen(const ReflectionTable& table)
        : seen_(table.plan_.fields.size()) {}
    bool Add(std::size_t index) {
      if (seen_[index]) return false;
      seen_[index] = true;
      return true;
    }
    bool Has(std::size_t index) const { return seen_[index]; }

   private:
    std::vector<bool> seen_;
  };

  explicit ReflectionTable(const MessagePlan& plan) : plan_(plan) {}

  void Reset(Message*) const {}

  // Returns the index of the field of that name; -1 if there is none.
  int Find(std::string_view name) const {
    const FieldPlan* const field = plan_.Find(name);
    return field == nullptr ? -1 : static_cast<int>(field->index);
  }

  // Calls `take` for each field from `next` on, each time with the position
  // that the call before returned, until one returns null.
  template <typename Function>
  const char* InOrder(std::size_t next, const char* p, Function take) const {
    for (; next < plan_.fields.size() && p != nullptr; ++next) {
      p = take(ReflectionField(plan_.fields[next]), p);
    }
    return p;
  }
  // Calls `function` for each field, until one returns false.
  template <typename Function>
  bool ForEach(Function function) const {
    for (const FieldPlan& plan : plan_.fields) {
      if (!function(ReflectionField(plan))) return false;
    }
    return true;
  }

 private:
  const MessagePlan& plan_;
};

inline ReflectionTable ReflectionField::table() const {
  return ReflectionTable(*value_plan().message);
}

template <FieldKind kKind, typename Write>
auto ReflectionField::LoadValue(const FieldPlan& plan, const Message& message,
                                int index, Write write) {
  using Kind = FieldKind;
  const ::google::protobuf::Reflection& reflection = *message.GetReflection();
  const ::google::protobuf::FieldDescriptor* const field = plan.field;
#define TOKENUSAGE_LOAD(Type)                                \
  (index == kSingular ? reflection.Get##Type(message, field) \
                      : reflection.GetRepeated##Type(message, field, index))
  if constexpr (kKind == Kind::kDouble) {
    return write(TOKENUSAGE_LOAD(Double));
  } else if constexpr (kKind == Kind::kFloat) {
    return write(TOKENUSAGE_LOAD(Float));
  } else if constexpr (kKind == Kind::kInt32) {
    return write(TOKENUSAGE_LOAD(Int32));
  } else if constexpr (kKind == Kind::kInt64) {
    return write(TOKENUSAGE_LOAD(Int64));
  } else if constexpr (kKind == Kind::kUInt32) {
    return write(TOKENUSAGE_LOAD(UInt32));
  } else if constexpr (kKind == Kind::kUInt64) {
    return write(TOKENUSAGE_LOAD(UInt64));
  } else if constexpr (kKind == Kind::kBool) {
    return write(TOKENUSAGE_LOAD(Bool));
  } else if constexpr (kKind == Kind::kEnum) {
    return write(TOKENUSAGE_LOAD(EnumValue));
  } else if constexpr (kKind == Kind::kString || kKind == Kind::kBytes) {
    std::string scratch;
    const std::string& text =
        index == kSingular
            ? reflection.GetStringReference(message, field, &scratch)
            : reflection.GetRepeatedStringReference(message, field, index,
                                                    &scratch);
    return write(std::string_view(text));
  } else {
    const Message& value =
        index == kSingular
            ? reflection.GetMessage(message, field)
            : reflection.GetRepeatedMessage(message, field, index);
    if constexpr (kKind == Kind::kMessage) {
      return write(value);
    } else {
      return write(LoadTime(value));
    }
  }
#undef TOKENUSAGE_LOAD
}

}  // namespace json_internal
}  // namespace tokenusage

#endif  // TOKENUSAGE_JSON_INTERNAL_REFLECTION_MESSAGE_H_
