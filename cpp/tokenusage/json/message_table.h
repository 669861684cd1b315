// Tables by which generated messages are read and written without Reflection.
//
// protoc-gen-tokenusage-json makes one for each message, and that is all that
// includes this header besides the mapping itself. A table reaches a message
// only by the API that protoc generates for it.

#ifndef TOKENUSAGE_JSON_MESSAGE_TABLE_H_
#define TOKENUSAGE_JSON_MESSAGE_TABLE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeinfo>
#include <vector>

#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "google/protobuf/unknown_field_set.h"
#include "tokenusage/json/field_kind.h"

namespace tokenusage {
namespace json_internal {

using google::protobuf::Message;

struct MessageTable;

// How one value of a field is written and read. `put` sets a singular field
// and adds to a repeated one; `get` takes a repeated field's index.
template <typename Value>
struct ValueAccess {
  void (*put)(Message* message, Value value);
  Value (*get)(const Message& message, int index);
};

struct MessageAccess {
  Message* (*put)(Message* message);
  const Message& (*get)(const Message& message, int index);
};

struct MapItem {
  std::string_view key;
  const void* value;
};

// A map's values by their addresses: of the C++ type that the map holds; of
// Message, where that is a message.
struct MapAccess {
  // Where the value of a new key goes; null where the key is there already.
  void* (*put)(Message* message, std::string_view key);
  void (*list)(const Message& message, std::vector<MapItem>* items);
};

// The one that belongs to the field's kind and shape; tables name just that.
// NOLINTBEGIN(google-explicit-constructor)
union FieldAccess {
  constexpr FieldAccess(ValueAccess<double> access) : a_double(access) {}
  constexpr FieldAccess(ValueAccess<float> access) : a_float(access) {}
  constexpr FieldAccess(ValueAccess<std::int64_t> access) : a_signed(access) {}
  constexpr FieldAccess(ValueAccess<std::uint64_t> access)
      : an_unsigned(access) {}
  constexpr FieldAccess(ValueAccess<bool> access) : a_bool(access) {}
  constexpr FieldAccess(ValueAccess<std::string_view> access)
      : a_string(access) {}
  constexpr FieldAccess(ValueAccess<int> access) : an_enum(access) {}
  constexpr FieldAccess(MessageAccess access) : a_message(access) {}
  constexpr FieldAccess(MapAccess access) : a_map(access) {}

  ValueAccess<double> a_double;
  ValueAccess<float> a_float;
  ValueAccess<std::int64_t> a_signed;      // kInt32, kInt64
  ValueAccess<std::uint64_t> an_unsigned;  // kUInt32, kUInt64
  ValueAccess<bool> a_bool;
  ValueAccess<std::string_view> a_string;  // kString, kBytes
  ValueAccess<int> an_enum;
  MessageAccess a_message;  // kMessage, kTimestamp
  MapAccess a_map;          // FieldShape::kMap
};
// NOLINTEND(google-explicit-constructor)

struct FieldTable {
  std::string_view prefix;  // "wire_name": as it is written
  std::string_view name;    // the wire name
  std::string_view alias;   // that in lowerCamelCase
  FieldKind kind;           // of each element; of a map's values
  FieldShape shape;
  bool required;
  int oneof;         // its number in the message; -1 for none
  int first_number;  // in a document of the exact shape: see ExactShape
  FieldAccess access;
  // Whether a field with presence is set; null for one without.
  bool (*has)(const Message& message);
  // The number of elements; null for a singular field.
  int (*size)(const Message& message);
  void (*clear)(Message* message);
  const MessageTable* message;                             // of kMessage
  const google::protobuf::EnumDescriptor* (*enum_type)();  // of kEnum
};

// Tables have at most that many fields.
inline constexpr std::size_t kMaxTableFields = 256;
// And so many oneofs.
inline constexpr int kMaxTableOneofs = 64;

using FieldMask = std::uint64_t[kMaxTableFields / 64];

// Code for documents of one shape: each field is there, and is a number or an
// object that is such a document itself. All null where the message has none.
//
// The numbers are counted through in declaration order; a field's
// `first_number` counts within its own message.
struct ExactShape {
  // Replaces the message by the document from `p` to `end`, which has the
  // fields in order and no spaces but behind it; with `line`, it may also end
  // before a line feed. Returns its end; null, with the message unchanged,
  // where it is not of this shape.
  using Read = const char* (*)(const char* p, const char* end, bool line,
                               Message* message);
  Read read;
  Read read_padded;  // kJsonPadding bytes behind `end` may be read
  // Replaces the message by these numbers.
  void (*set)(Message* message, const double* numbers);
  // Writes the message to `out`, which has `room`, and returns the text's end;
  // null where that is not of this shape.
  char* (*write)(const Message& message, char* out);
  std::size_t room;
};

inline constexpr int kMaxShapeNumbers = 32;

struct MessageTable {
  const FieldTable* fields;  // in declaration order
  std::size_t field_count;
  FieldMask required;
  // Clears what is in no field: all of the message, where it has extensions.
  void (*reset)(Message* message);
  Message* (*create)();
  void (*swap)(Message* a, Message* b);
  ExactShape shape;
};

// Where the tables are: each is a specialization of this for a message class.
template <typename Class>
struct TableOf {
  static const MessageTable table;
};

// Makes a table known for a message class. Objects of this class are global
// variables.
class TableRegistration {
 public:
  TableRegistration(const std::type_info& type, const MessageTable& table);

 private:
  friend const MessageTable* FindTable(const Message& message);
  using Bucket = std::atomic<TableRegistration*>;

  static constexpr std::size_t kBuckets = 256;

  static Bucket& BucketOf(const std::type_info& type) {
    const auto address = reinterpret_cast<std::uintptr_t>(&type);
    return buckets_[address / alignof(std::type_info) % kBuckets];
  }

  // Lists of registrations by their types' addresses. They only ever grow, at
  // their heads, so that readers need no lock. A class loaded twice may have
  // two addresses: the other one is not found then, and Reflection serves it.
  static Bucket buckets_[kBuckets];

  const std::type_info& type_;
  const MessageTable& table_;
  TableRegistration* next_ = nullptr;
};

// The table of the message's class; null for none. Thread-safe, and a few
// instructions.
inline const MessageTable* FindTable(const Message& message) {
  const std::type_info& type = typeid(message);
  const TableRegistration* entry =
      TableRegistration::BucketOf(type).load(std::memory_order_acquire);
  while (entry != nullptr && &entry->type_ != &type) entry = entry->next_;
  return entry == nullptr ? nullptr : &entry->table_;
}

// Clears the fields that the message's class does not know.
template <typename Class>
void ClearUnknownFields(Class* message) {
  static const google::protobuf::Reflection* const reflection =
      Class::GetReflection();
  if (!reflection->GetUnknownFields(*message).empty()) {
    reflection->MutableUnknownFields(message)->Clear();
  }
}

// A value's address as MapAccess gives it.
template <typename Value>
auto MapValueAddress(Value* value) {
  using Plain = std::remove_const_t<Value>;
  if constexpr (std::is_base_of_v<Message, Plain>) {
    using Base =
        std::conditional_t<std::is_const_v<Value>, const Message, Message>;
    return static_cast<Base*>(value);
  } else {
    return value;
  }
}

// MapAccess for the map that Map::Get and Map::Mutable return.
template <typename Map>
constexpr MapAccess MakeMapAccess() {
  return {[](Message* message, std::string_view key) -> void* {
            auto* const map = Map::Mutable(message);
            const std::size_t before = map->size();
            auto* const value = &(*map)[std::string(key)];
            return map->size() == before ? nullptr : MapValueAddress(value);
          },
          [](const Message& message, std::vector<MapItem>* items) {
            for (const auto& entry : Map::Get(message)) {
              items->push_back({entry.first, MapValueAddress(&entry.second)});
            }
          }};
}

}  // namespace json_internal
}  // namespace tokenusage

#endif  // TOKENUSAGE_JSON_MESSAGE_TABLE_H_
