// SPDX-License-Identifier: Apache-2.0
//
// Lets the reader and the writer reach the fields of a message for which
// protoc-gen-tokenusage-json has generated code: by the accessors that protoc
// generates, inlined. The generated code describes a message by a list:
//
//   template <>
//   struct JsonFields<acme::CallUsage> {
//     TOKENUSAGE_JSON_FIELD(total_tokens, "total_tokens",
//                           Required<FieldKind::kDouble>);
//     TOKENUSAGE_JSON_FIELD(cached_tokens, "cached_tokens",
//                           Optional<FieldKind::kDouble>);
//     using List = FieldList<total_tokens_field, cached_tokens_field>;
//     static constexpr bool kIsExtendable = false;
//   };
//
// and registers it:
//
//   const RegistrationOf<acme::CallUsage> registration_of_call_usage;

#ifndef TOKENUSAGE_JSON_INTERNAL_GENERATED_MESSAGE_H_
#define TOKENUSAGE_JSON_INTERNAL_GENERATED_MESSAGE_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

#include "google/protobuf/generated_enum_reflection.h"
#include "google/protobuf/message.h"
#include "google/protobuf/timestamp.pb.h"
#include "google/protobuf/unknown_field_set.h"
#include "tokenusage/json/internal/field_kind.h"
#include "tokenusage/json/internal/message_plan.h"
#include "tokenusage/json/internal/reader.h"
#include "tokenusage/json/internal/text_values.h"
#include "tokenusage/json/internal/writer.h"

namespace tokenusage {
namespace json_internal {

// ------------------------------------------ what generated code consists of

template <typename Class>
struct JsonFields;

template <typename... Fields>
struct FieldList {
  static constexpr std::size_t kSize = sizeof...(Fields);
};

// A field's type: a base class of its description.
template <FieldKind kind, FieldShape shape, bool presence, bool required,
          int oneof = -1>
struct FieldType {
  static constexpr FieldKind kKind = kind;
  static constexpr FieldShape kShape = shape;
  static constexpr bool kHasPresence = presence;
  static constexpr bool kRequired = required;
  static constexpr int kOneof = oneof;
};
template <FieldKind kKind>
using Required = FieldType<kKind, FieldShape::kSingular, true, true>;
template <FieldKind kKind>
using Optional = FieldType<kKind, FieldShape::kSingular, true, false>;
// Without presence: always written.
template <FieldKind kKind>
using Implicit = FieldType<kKind, FieldShape::kSingular, false, false>;
template <FieldKind kKind, int kOneof>
using OneofMember =
    FieldType<kKind, FieldShape::kSingular, true, false, kOneof>;
template <FieldKind kKind>
using Repeated = FieldType<kKind, FieldShape::kRepeated, false, false>;
template <FieldKind kKind>
using Map = FieldType<kKind, FieldShape::kMap, false, false>;

// A field's description: `field` as in its accessors' names, `name` as in JSON.
// The functions are templates, since a field does not have all accessors.
#define TOKENUSAGE_JSON_FIELD(field, name, ...)             \
  struct field##_field : __VA_ARGS__ {                      \
    static constexpr char kQuoted[] = "\"" name "\":";      \
    template <typename M>                                   \
    static bool Has(const M& m) {                           \
      return m.has_##field();                               \
    }                                                       \
    template <typename M>                                   \
    static int Size(const M& m) {                           \
      return m.field##_size();                              \
    }                                                       \
    template <typename M, typename... Index>                \
    static decltype(auto) Get(const M& m, Index... index) { \
      return m.field(index...);                             \
    }                                                       \
    template <typename M, typename V>                       \
    static void Set(M* m, V value) {                        \
      m->set_##field(value);                                \
    }                                                       \
    template <typename M, typename... V>                    \
    static decltype(auto) Add(M* m, V... value) {           \
      return m->add_##field(value...);                      \
    }                                                       \
    template <typename M>                                   \
    static auto* Mutable(M* m) {                            \
      return m->mutable_##field();                          \
    }                                                       \
    template <typename M>                                   \
    static void Clear(M* m) {                               \
      m->clear_##field();                                   \
    }                                                       \
  }

// -------------------------------------------------- slots, fields and tables

inline void PutTimestamp(const UnixTime& time,
                         ::google::protobuf::Timestamp* timestamp) {
  timestamp->Clear();
  timestamp->set_seconds(time.seconds);
  timestamp->set_nanos(time.nanos);
}

// Stores a value in its field: see ReflectionSlot.
template <typename Type, typename Class>
struct SingularSlot {
  template <typename Value>
  void Put(Value value) const {
    Type::Set(message, value);
  }
  void PutText(std::string_view text) const {
    Type::Mutable(message)->assign(text.data(), text.size());
  }
  void PutEnum(int number) const {
    using Enum = std::decay_t<decltype(Type::Get(*message))>;
    Type::Set(message, static_cast<Enum>(number));
  }
  void PutTime(const UnixTime& time) const {
    PutTimestamp(time, Type::Mutable(message));
  }
  auto* NewMessage() const { return Type::Mutable(message); }

  Class* message;
};

template <typename Type, typename Class>
struct ElementSlot {
  template <typename Value>
  void Put(Value value) const {
    Type::Add(message, value);
  }
  void PutText(std::string_view text) const {
    Type::Add(message)->assign(text.data(), text.size());
  }
  void PutEnum(int number) const {
    using Enum = std::decay_t<decltype(Type::Get(*message, 0))>;
    Type::Add(message, static_cast<Enum>(number));
  }
  void PutTime(const UnixTime& time) const {
    PutTimestamp(time, Type::Add(message));
  }
  auto* NewMessage() const { return Type::Add(message); }

  Class* message;
};

template <typename Value>
struct MapSlot {
  template <typename Number>
  void Put(Number number) const {
    *value = number;
  }
  void PutText(std::string_view text) const {
    value->assign(text.data(), text.size());
  }
  void PutEnum(int number) const { *value = static_cast<Value>(number); }
  void PutTime(const UnixTime& time) const { PutTimestamp(time, value); }
  Value* NewMessage() const { return value; }

  Value* value;
};

template <typename Class>
class GeneratedTable;

// Returns a null pointer to the type of the field's values.
template <typename Type, typename Class>
auto NullOfValue(const Class& message) {
  if constexpr (Type::kShape == FieldShape::kSingular) {
    return static_cast<std::decay_t<decltype(Type::Get(message))>*>(nullptr);
  } else if constexpr (Type::kShape == FieldShape::kRepeated) {
    return static_cast<std::decay_t<decltype(Type::Get(message, 0))>*>(nullptr);
  } else {
    using MapClass = std::decay_t<decltype(Type::Get(message))>;
    return static_cast<typename MapClass::mapped_type*>(nullptr);
  }
}

// See ReflectionField.
template <typename Class, typename Type, std::size_t kIndex>
class GeneratedField {
 public:
  using ValueType = std::remove_pointer_t<decltype(NullOfValue<Type>(
      std::declval<const Class&>()))>;
  static constexpr bool kGenerated = true;
  static constexpr FieldKind kKind = Type::kKind;
  static constexpr FieldShape kShape = Type::kShape;
  // Whether this is a number, bool or enum, singular and not in a oneof. Reset
  // clears these.
  static constexpr bool kIsPlain =
      kShape == FieldShape::kSingular && Type::kOneof < 0 &&
      kKind != FieldKind::kString && kKind != FieldKind::kBytes &&
      kKind != FieldKind::kMessage && kKind != FieldKind::kTimestamp;

  static constexpr std::size_t index() { return kIndex; }
  static constexpr FieldKind kind() { return kKind; }
  static constexpr bool required() { return Type::kRequired; }
  static constexpr int oneof() { return Type::kOneof; }
  static constexpr std::string_view quoted() {
    return {Type::kQuoted, sizeof(Type::kQuoted) - 1};
  }
  static auto table() { return GeneratedTable<ValueType>(); }
  static const EnumNames& enum_names() {
    static const auto* const names =
        new EnumNames(*::google::protobuf::GetEnumDescriptor<ValueType>());
    return *names;
  }

  // Compares word by word; the last two words may overlap.
  template <std::size_t kMaxSize>
  static bool IsQuotedAt(const char* p) {
    constexpr std::size_t kSize = sizeof(Type::kQuoted) - 1;
    if constexpr (kSize > kMaxSize) {
      return false;
    } else if constexpr (kSize < 8) {
      return std::memcmp(p, Type::kQuoted, kSize) == 0;
    } else {
      std::uint64_t difference = LoadWord(p) ^ LoadWord(Type::kQuoted);
      for (std::size_t i = 8; i + 8 < kSize; i += 8) {
        difference |= LoadWord(p + i) ^ LoadWord(Type::kQuoted + i);
      }
      difference |=
          LoadWord(p + kSize - 8) ^ LoadWord(Type::kQuoted + kSize - 8);
      return difference == 0;
    }
  }

  static auto Singular(Class* message) {
    return SingularSlot<Type, Class>{message};
  }
  static auto Element(Class* message) {
    return ElementSlot<Type, Class>{message};
  }
  static auto Entry(Class* message, std::string_view key) {
    return MapSlot<ValueType>{&(*Type::Mutable(message))[std::string(key)]};
  }
  static void Clear(Class* message) { Type::Clear(message); }
  static void ClearIfAbsent(Class* message) {
    if constexpr (!kIsPlain) {
      if (IsWritten(*message)) Type::Clear(message);
    }
  }

  static bool IsWritten(const Class& message) {
    if constexpr (Type::kHasPresence) {
      return Type::Has(message);
    } else if constexpr (kShape != FieldShape::kSingular) {
      return Type::Size(message) > 0;
    } else {
      return true;
    }
  }
  template <FieldKind kKind, typename Write>
  static auto WithValue(const Class& message, Write write) {
    return write(AsWritten(Type::Get(message)));
  }
  static int Size(const Class& message) { return Type::Size(message); }
  template <FieldKind kKind, typename Write>
  static auto WithElement(const Class& message, int index, Write write) {
    return write(AsWritten(Type::Get(message, index)));
  }
  static auto SortedEntries(const Class& message) {
    std::vector<std::pair<std::string_view, const ValueType*>> entries;
    for (const auto& [key, value] : Type::Get(message)) {
      entries.emplace_back(key, &value);
    }
    std::sort(entries.begin(), entries.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
    return entries;
  }
  template <FieldKind kKind, typename Write>
  static auto WithMapValue(const ValueType* value, Write write) {
    return write(AsWritten(*value));
  }

 private:
  static decltype(auto) AsWritten(const ValueType& value) {
    if constexpr (kKind == FieldKind::kEnum) {
      return static_cast<int>(value);
    } else if constexpr (kKind == FieldKind::kString ||
                         kKind == FieldKind::kBytes) {
      return std::string_view(value.data(), value.size());
    } else if constexpr (kKind == FieldKind::kTimestamp) {
      return UnixTime{value.seconds(), value.nanos()};
    } else {
      return (value);
    }
  }
};

// See ReflectionTable.
template <typename Class>
class GeneratedTable {
  using List = typename JsonFields<Class>::List;
  static constexpr std::size_t kSize = List::kSize;
  using Indices = std::make_index_sequence<kSize>;

 public:
  using Message = Class;
  class Seen {
   public:
    explicit Seen(const GeneratedTable&) {}
    bool Add(std::size_t index) {
      const std::uint64_t bit = std::uint64_t{1} << (index % 64);
      if ((seen_[index / 64] & bit) != 0) return false;
      seen_[index / 64] |= bit;
      return true;
    }
    bool Has(std::size_t index) const {
      return (seen_[index / 64] >> (index % 64) & 1) != 0;
    }

   private:
    std::uint64_t seen_[kSize / 64 + 1] = {};
  };

  // Clears plain fields, since finding out which of them are absent would cost
  // more, and the fields that the class does not know.
  static void Reset(Class* message) {
    if constexpr (JsonFields<Class>::kIsExtendable) {
      message->Clear();
    } else {
      ClearUnknownFields(message);
      ForEach([message](auto field) {
        if constexpr (decltype(field)::kIsPlain) field.Clear(message);
        return true;
      });
    }
  }

  static int Find(std::string_view name) {
    // There is a plan: the plugin checked the type.
    static const auto* const plan =
        new PlanHandle(*GetMessagePlan(Class::descriptor()));
    const FieldPlan* const field = plan->plan->Find(name);
    return field == nullptr ? -1 : static_cast<int>(field->index);
  }

  template <typename Function>
  __attribute__((always_inline)) static const char* InOrder(std::size_t next,
                                                            const char* p,
                                                            Function take) {
    return InOrderOf(next, p, take, List(), Indices());
  }
  template <typename Function>
  __attribute__((always_inline)) static bool ForEach(Function function) {
    return ForEachOf(function, List(), Indices());
  }

 private:
  // It is cheaper to try a few fields again than to test which to skip.
  static constexpr std::size_t kFewFields = 16;

  template <typename Function, typename... Types, std::size_t... kIndices>
  __attribute__((always_inline)) static const char* InOrderOf(
      std::size_t next, const char* p, Function& take, FieldList<Types...>,
      std::index_sequence<kIndices...>) {
    static_cast<void>(next);
    static_cast<void>(take);
    static_cast<void>(
        ((kSize > kFewFields && kIndices < next
              ? true
              : (p = take(GeneratedField<Class, Types, kIndices>(), p)) !=
                    nullptr) &&
         ...));
    return p;
  }
  template <typename Function, typename... Types, std::size_t... kIndices>
  __attribute__((always_inline)) static bool ForEachOf(
      Function& function, FieldList<Types...>,
      std::index_sequence<kIndices...>) {
    static_cast<void>(function);
    return (function(GeneratedField<Class, Types, kIndices>()) && ...);
  }

  static void ClearUnknownFields(Class* message) {
    static const ::google::protobuf::Reflection* const reflection =
        Class::GetReflection();
    if (!reflection->GetUnknownFields(*message).empty()) {
      reflection->MutableUnknownFields(message)->Clear();
    }
  }
};

// ------------------------------------------------------------- registration

// Reads and writes the messages of one class, as the calls of json.h do. Both
// functions return false for an error, which Reflection then describes: `read`
// leaves `message` unchanged, but `write` may have appended a part.
struct GeneratedMessage {
  bool (*read)(std::string_view json, std::string_view path, bool strict,
               ::google::protobuf::Message* message);
  bool (*write)(const ::google::protobuf::Message& message, std::string* out);
};

// Registers the code for a class. Objects of this type are global variables,
// and a library that has some must not be unloaded.
//
// They form lists, hashed by the address of the class's type_info. The lists
// only grow, at their heads. So a look-up takes no lock and a few instructions,
// and code can register itself at any time and in any order: at start-up, or
// with a library that is loaded later. A class that is loaded twice may have
// two addresses; if only one of them is registered, Reflection serves the
// other.
class Registration {
 public:
  Registration(const std::type_info& type, const GeneratedMessage& message);

  // Returns the code for the message's class; null if there is none.
  // Thread-safe.
  static const GeneratedMessage* Find(
      const ::google::protobuf::Message& message) {
    const std::type_info& type = typeid(message);
    const Registration* entry = BucketOf(type).load(std::memory_order_acquire);
    while (entry != nullptr && &entry->type_ != &type) entry = entry->next_;
    return entry == nullptr ? nullptr : &entry->message_;
  }

 private:
  using Bucket = std::atomic<Registration*>;

  static Bucket& BucketOf(const std::type_info& type) {
    const auto address = reinterpret_cast<std::uintptr_t>(&type);
    return buckets_[address / alignof(std::type_info) % kBuckets];
  }

  static constexpr std::size_t kBuckets = 256;
  static Bucket buckets_[kBuckets];

  const std::type_info& type_;
  const GeneratedMessage message_;
  Registration* next_ = nullptr;
};

template <typename Class>
class RegistrationOf {
 private:
  using Message = ::google::protobuf::Message;

  static bool Read(std::string_view json, std::string_view path, bool strict,
                   Message* message) {
    if (json.size() > kMaxBytesOfKept) {
      return ReadInto(json, path, strict, std::make_unique<Class>().get(),
                      message);
    }
    // Reads into a message that is kept for the next time, so that nothing is
    // allocated once it is large enough. It gets the old contents of `message`.
    thread_local const auto kept = std::make_unique<Class>();
    return ReadInto(json, path, strict, kept.get(), message);
  }

  TOKENUSAGE_INLINE static bool ReadInto(std::string_view json,
                                         std::string_view path, bool strict,
                                         Class* parsed, Message* message) {
    Reader<false> reader(json, strict, nullptr);
    if (!reader.ReadDocument(path, GeneratedTable<Class>(), parsed)) {
      return false;
    }
    static_cast<Class*>(message)->Swap(parsed);
    return true;
  }

  static bool Write(const Message& message, std::string* out) {
    return Writer<false>(out, nullptr)
        .WriteDocument(GeneratedTable<Class>(),
                       static_cast<const Class&>(message));
  }

  static constexpr std::size_t kMaxBytesOfKept = std::size_t{1} << 16;

  const Registration registration_{typeid(Class), {Read, Write}};
};

}  // namespace json_internal
}  // namespace tokenusage

#endif  // TOKENUSAGE_JSON_INTERNAL_GENERATED_MESSAGE_H_
