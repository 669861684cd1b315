// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/record/same_content.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "google/protobuf/unknown_field_set.h"

namespace tokenusage {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using google::protobuf::UnknownField;
using google::protobuf::UnknownFieldSet;

// The unknown fields in an order that does not depend on how they came.
std::vector<std::string> SortedUnknownFields(const UnknownFieldSet& fields) {
  std::vector<std::string> sorted;
  for (int i = 0; i < fields.field_count(); ++i) {
    const UnknownField& field = fields.field(i);
    std::string text = std::to_string(field.number()) + ' ' +
                       std::to_string(static_cast<int>(field.type())) + ' ';
    switch (field.type()) {
      case UnknownField::TYPE_VARINT:
        text += std::to_string(field.varint());
        break;
      case UnknownField::TYPE_FIXED32:
        text += std::to_string(field.fixed32());
        break;
      case UnknownField::TYPE_FIXED64:
        text += std::to_string(field.fixed64());
        break;
      case UnknownField::TYPE_LENGTH_DELIMITED:
        text += field.length_delimited();
        break;
      case UnknownField::TYPE_GROUP:
        for (const std::string& part : SortedUnknownFields(field.group())) {
          text += std::to_string(part.size()) + ':' + part;
        }
        break;
    }
    sorted.push_back(std::move(text));
  }
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

bool SameUnknownFields(const UnknownFieldSet& a, const UnknownFieldSet& b) {
  if (a.empty() && b.empty()) return true;
  return SortedUnknownFields(a) == SortedUnknownFields(b);
}

template <typename Float>
bool SameBits(Float a, Float b) {
  return std::memcmp(&a, &b, sizeof(a)) == 0;
}

bool SameMessage(const Message& a, const Message& b,
                 const FieldDescriptor* left_out);

// The value of a singular field, or the element `index` of a repeated one.
// `a` and `b` may be at different indexes: see SameMap.
bool SameValue(const Message& a, const Message& b, const FieldDescriptor* field,
               int index) {
  const Reflection* reflection = a.GetReflection();
#define TOKENUSAGE_GET(type, message)                           \
  (field->is_repeated()                                         \
       ? reflection->GetRepeated##type((message), field, index) \
       : reflection->Get##type((message), field))
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return TOKENUSAGE_GET(Int32, a) == TOKENUSAGE_GET(Int32, b);
    case FieldDescriptor::CPPTYPE_INT64:
      return TOKENUSAGE_GET(Int64, a) == TOKENUSAGE_GET(Int64, b);
    case FieldDescriptor::CPPTYPE_UINT32:
      return TOKENUSAGE_GET(UInt32, a) == TOKENUSAGE_GET(UInt32, b);
    case FieldDescriptor::CPPTYPE_UINT64:
      return TOKENUSAGE_GET(UInt64, a) == TOKENUSAGE_GET(UInt64, b);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return SameBits(TOKENUSAGE_GET(Double, a), TOKENUSAGE_GET(Double, b));
    case FieldDescriptor::CPPTYPE_FLOAT:
      return SameBits(TOKENUSAGE_GET(Float, a), TOKENUSAGE_GET(Float, b));
    case FieldDescriptor::CPPTYPE_BOOL:
      return TOKENUSAGE_GET(Bool, a) == TOKENUSAGE_GET(Bool, b);
    case FieldDescriptor::CPPTYPE_ENUM:
      return TOKENUSAGE_GET(EnumValue, a) == TOKENUSAGE_GET(EnumValue, b);
    case FieldDescriptor::CPPTYPE_STRING:
      return TOKENUSAGE_GET(String, a) == TOKENUSAGE_GET(String, b);
    case FieldDescriptor::CPPTYPE_MESSAGE: {
      const Message& left =
          field->is_repeated() ? reflection->GetRepeatedMessage(a, field, index)
                               : reflection->GetMessage(a, field);
      const Message& right =
          field->is_repeated() ? reflection->GetRepeatedMessage(b, field, index)
                               : reflection->GetMessage(b, field);
      return SameMessage(left, right, nullptr);
    }
  }
#undef TOKENUSAGE_GET
  return false;
}

// A map entry's key as text; distinct for distinct keys of one map.
std::string KeyText(const Message& entry) {
  const FieldDescriptor* key = entry.GetDescriptor()->map_key();
  const Reflection* reflection = entry.GetReflection();
  switch (key->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return std::to_string(reflection->GetInt32(entry, key));
    case FieldDescriptor::CPPTYPE_INT64:
      return std::to_string(reflection->GetInt64(entry, key));
    case FieldDescriptor::CPPTYPE_UINT32:
      return std::to_string(reflection->GetUInt32(entry, key));
    case FieldDescriptor::CPPTYPE_UINT64:
      return std::to_string(reflection->GetUInt64(entry, key));
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection->GetBool(entry, key) ? "1" : "0";
    default:
      return reflection->GetString(entry, key);
  }
}

// A map, entry by entry, in whatever order the entries are.
bool SameMap(const Message& a, const Message& b, const FieldDescriptor* field) {
  const Reflection* reflection = a.GetReflection();
  std::map<std::string, const Message*> entries;
  const int size = reflection->FieldSize(a, field);
  for (int i = 0; i < size; ++i) {
    const Message& entry = reflection->GetRepeatedMessage(a, field, i);
    entries[KeyText(entry)] = &entry;
  }
  for (int i = 0; i < size; ++i) {
    const Message& entry = reflection->GetRepeatedMessage(b, field, i);
    const auto found = entries.find(KeyText(entry));
    if (found == entries.end()) return false;
    if (!SameMessage(*found->second, entry, nullptr)) return false;
  }
  return true;
}

bool SameField(const Message& a, const Message& b,
               const FieldDescriptor* field) {
  const Reflection* reflection = a.GetReflection();
  if (field->is_repeated()) {
    const int size = reflection->FieldSize(a, field);
    if (size != reflection->FieldSize(b, field)) return false;
    if (field->is_map()) return SameMap(a, b, field);
    for (int i = 0; i < size; ++i) {
      if (!SameValue(a, b, field, i)) return false;
    }
    return true;
  }
  if (field->has_presence()) {
    const bool has = reflection->HasField(a, field);
    if (has != reflection->HasField(b, field)) return false;
    if (!has) return true;
  }
  return SameValue(a, b, field, 0);
}

bool SameMessage(const Message& a, const Message& b,
                 const FieldDescriptor* left_out) {
  const google::protobuf::Descriptor* descriptor = a.GetDescriptor();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const FieldDescriptor* field = descriptor->field(i);
    if (field != left_out && !SameField(a, b, field)) return false;
  }
  const Reflection* reflection = a.GetReflection();
  return SameUnknownFields(reflection->GetUnknownFields(a),
                           reflection->GetUnknownFields(b));
}

}  // namespace

bool SameContent(const v1::UsageRecord& a, const v1::UsageRecord& b) {
  return SameMessage(a, b,
                     v1::UsageRecord::descriptor()->FindFieldByNumber(
                         v1::UsageRecord::kReceiveTimeFieldNumber));
}

}  // namespace tokenusage
