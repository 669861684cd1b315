// SPDX-License-Identifier: Apache-2.0

#include "tests/json/fuzz/random_message.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "google/protobuf/descriptor.h"
#include "tests/json/fuzz/field_names.h"

namespace tokenusage {
namespace testing {
namespace {

using ::google::protobuf::Descriptor;
using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::Message;
using ::google::protobuf::Reflection;

// Some levels more than the 100 that a document may have.
constexpr int kMaxDepth = 103;

// Fills messages with values made of a fuzzer's input.
class Filler {
 public:
  explicit Filler(ByteSource* bytes) : bytes_(*bytes) {}

  void Fill(int depth, Message* message);

 private:
  double Double();
  float Float();
  std::uint64_t Integer() { return bytes_.Integer(bytes_.Below(9)); }
  std::string Text();
  void FillTimestamp(Message* message);
  void FillMap(const FieldDescriptor& field, int depth, Message* message);
  void Store(const FieldDescriptor& field, int depth, Message* message);
  void StoreNumber(const FieldDescriptor& field, Message* message);

  ByteSource& bytes_;
  int keys_ = 0;
};

double Filler::Double() {
  switch (bytes_.Below(5)) {
    case 0:
      return static_cast<double>(bytes_.Integer(3));
    case 1:
      return static_cast<double>(bytes_.Integer(4)) / 100;
    case 2:
      return -static_cast<double>(bytes_.Integer(7)) / 1e9;
    case 3:
      return static_cast<double>(bytes_.Integer(8));
    default: {
      const std::uint64_t bits = bytes_.Integer(8);
      double value;
      std::memcpy(&value, &bits, sizeof(value));
      return value;
    }
  }
}

float Filler::Float() {
  if (bytes_.Below(2) == 0) return static_cast<float>(bytes_.Integer(3)) / 100;
  const auto bits = static_cast<std::uint32_t>(bytes_.Integer(4));
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

// Returns text that is mostly UTF-8.
std::string Filler::Text() {
  constexpr const char* kPieces[] = {"\"",   "\\",     "/",          "\n",
                                     "\x01", "\u00fc", "\u20ac",     "\x7F",
                                     "\t",   "\u2028", "\U0001F600", "\u0085"};
  constexpr int kCount = sizeof(kPieces) / sizeof(kPieces[0]);
  std::string text;
  for (int n = bytes_.Below(16); n > 0; --n) {
    const std::uint8_t byte = bytes_.Byte();
    if (byte >= 0xF8) {
      text += static_cast<char>(bytes_.Byte());
    } else if (byte >= 0x80) {
      text += kPieces[byte % kCount];
    } else {
      text += static_cast<char>(byte);
    }
  }
  return text;
}

void Filler::FillTimestamp(Message* message) {
  constexpr std::int64_t kFirst = -62135596800;
  constexpr std::uint64_t kSpan = 315537897600;
  const Descriptor& type = *message->GetDescriptor();
  const std::uint64_t number = bytes_.Integer(8);
  const bool any = bytes_.Below(16) == 15;
  const std::int64_t seconds =
      any ? static_cast<std::int64_t>(number)
          : kFirst + static_cast<std::int64_t>(number % kSpan);
  const std::int32_t nanos[] = {
      0, static_cast<std::int32_t>(bytes_.Integer(4) % 1000000000),
      static_cast<std::int32_t>(bytes_.Integer(2) % 1000) * 1000000,
      static_cast<std::int32_t>(bytes_.Integer(4))};
  message->GetReflection()->SetInt64(message, type.FindFieldByName("seconds"),
                                     seconds);
  message->GetReflection()->SetInt32(message, type.FindFieldByName("nanos"),
                                     nanos[any ? 3 : bytes_.Below(3)]);
}

void Filler::FillMap(const FieldDescriptor& field, int depth,
                     Message* message) {
  const Descriptor& type = *field.message_type();
  for (int n = bytes_.Below(4); n > 0; --n) {
    Message* const entry =
        message->GetReflection()->AddMessage(message, &field);
    // Each key must differ: a map with a repeated key does not read back the
    // same. Without the '/', "1" and 2 would make the same key as "" and 12.
    entry->GetReflection()->SetString(entry, type.map_key(),
                                      Text() + "/" + std::to_string(++keys_));
    Store(*type.map_value(), depth, entry);
  }
}

void Filler::Fill(int depth, Message* message) {
  const Descriptor& type = *message->GetDescriptor();
  if (IsTimestamp(type)) return FillTimestamp(message);
  // Its bits choose fields, in order.
  std::uint64_t mask = 0;
  for (int i = 0; i < type.field_count(); ++i, mask /= 2) {
    if (i % 32 == 0) mask = bytes_.Integer(type.field_count() > 8 ? 4 : 1);
    const FieldDescriptor& field = *type.field(i);
    const bool wanted = mask % 2 == 1 && depth < kMaxDepth;
    if (IsRequired(field) ? bytes_.Byte() == 255 : !wanted) continue;
    if (field.is_map()) {
      FillMap(field, depth, message);
    } else if (field.is_repeated()) {
      for (int n = bytes_.Below(5); n > 0; --n) Store(field, depth, message);
    } else {
      Store(field, depth, message);
    }
  }
}

// Sets the field, or adds an element to it.
void Filler::Store(const FieldDescriptor& field, int depth, Message* message) {
  const Reflection& reflection = *message->GetReflection();
  const bool add = field.is_repeated();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return Fill(depth + 1, add ? reflection.AddMessage(message, &field)
                                 : reflection.MutableMessage(message, &field));
    case FieldDescriptor::CPPTYPE_STRING: {
      const bool is_bytes = field.type() == FieldDescriptor::TYPE_BYTES;
      const std::string text =
          is_bytes ? bytes_.Text(static_cast<std::size_t>(bytes_.Below(8)))
                   : Text();
      return add ? reflection.AddString(message, &field, text)
                 : reflection.SetString(message, &field, text);
    }
    case FieldDescriptor::CPPTYPE_ENUM: {
      const int index = bytes_.Below(field.enum_type()->value_count() + 1);
      const int number = index < field.enum_type()->value_count()
                             ? field.enum_type()->value(index)->number()
                             : static_cast<int>(bytes_.Integer(4));
      return add ? reflection.AddEnumValue(message, &field, number)
                 : reflection.SetEnumValue(message, &field, number);
    }
    default:
      return StoreNumber(field, message);
  }
}

void Filler::StoreNumber(const FieldDescriptor& field, Message* message) {
  const Reflection& reflection = *message->GetReflection();
  const bool add = field.is_repeated();
  const auto store = [&](auto adder, auto setter, auto value) {
    (reflection.*(add ? adder : setter))(message, &field, value);
  };
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return store(&Reflection::AddDouble, &Reflection::SetDouble, Double());
    case FieldDescriptor::CPPTYPE_FLOAT:
      return store(&Reflection::AddFloat, &Reflection::SetFloat, Float());
    case FieldDescriptor::CPPTYPE_INT32:
      return store(&Reflection::AddInt32, &Reflection::SetInt32,
                   static_cast<std::int32_t>(Integer()));
    case FieldDescriptor::CPPTYPE_INT64:
      return store(&Reflection::AddInt64, &Reflection::SetInt64,
                   static_cast<std::int64_t>(Integer()));
    case FieldDescriptor::CPPTYPE_UINT32:
      return store(&Reflection::AddUInt32, &Reflection::SetUInt32,
                   static_cast<std::uint32_t>(Integer()));
    case FieldDescriptor::CPPTYPE_UINT64:
      return store(&Reflection::AddUInt64, &Reflection::SetUInt64, Integer());
    default:
      return store(&Reflection::AddBool, &Reflection::SetBool,
                   bytes_.Below(2) == 1);
  }
}

}  // namespace

void FillMessage(ByteSource* bytes, Message* message) {
  Filler(bytes).Fill(1, message);
}

}  // namespace testing
}  // namespace tokenusage
