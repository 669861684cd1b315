// SPDX-License-Identifier: Apache-2.0

#include "tests/json/fuzz/reference_reader.h"

#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "google/protobuf/descriptor.h"
#include "tests/json/fuzz/document.h"
#include "tests/json/fuzz/field_names.h"
#include "tests/json/fuzz/reference_values.h"

namespace tokenusage {
namespace testing {
namespace {

using ::google::protobuf::Descriptor;
using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::Message;
using ::google::protobuf::Reflection;
using Kind = JsonError::Kind;
using Type = DocumentValue::Type;

// A field path, and whether the rules settle how it is printed.
struct Path {
  std::string text;
  std::size_t key_size = 0;
  bool plain = true;

  Path Field(const std::string& name) const {
    Path path = *this;
    path.text += (text.empty() ? "" : ".") + name;
    for (const char c : name) {
      if (c < ' ' || c > '~' || c == '"' || c == '\\') path.plain = false;
    }
    return path;
  }

  Path Element(std::size_t index) const {
    Path path = *this;
    path.text += "[" + std::to_string(index) + "]";
    return path;
  }

  Path Key(const std::string& key) const {
    Path path = Field(key);
    path.text = text + "[\"" + key + "\"]";
    path.key_size += key.size();
    if (path.key_size > 40) path.plain = false;
    return path;
  }
};

// A function of Reflection that sets a field, or adds an element to one.
template <typename Value>
using Setter = void (Reflection::*)(Message*, const FieldDescriptor*,
                                    Value) const;

// Calls `add` for a repeated field, and `set` for any other.
template <typename Value>
void Store(Setter<Value> set, Setter<Value> add, const FieldDescriptor& field,
           const Value& value, Message* message) {
  const Reflection& reflection = *message->GetReflection();
  (reflection.*(field.is_repeated() ? add : set))(message, &field, value);
}

// Maps a document's tree to a message, in the document's order. A function that
// returns false has set the error, and nothing more is read.
class Mapper {
 public:
  Mapper(const Document& document, bool strict)
      : document_(document), strict_(strict) {}

  bool ReadAt(const DocumentValue& value, std::vector<std::string> names,
              const Path& path, Message* message);
  bool FailByDocument();
  bool HasSyntaxError() const { return document_.syntax_error.has_value(); }
  const ReferenceError& error() const { return error_; }

 private:
  bool Fail(Kind kind, std::size_t offset, const Path& path);
  bool FailType(const DocumentValue& value, const Path& path);
  bool FailRange(const DocumentValue& value, const Path& path) {
    return Fail(Kind::kOutOfRange, value.begin, path);
  }

  bool ReadMessage(const DocumentValue& value, const Path& path,
                   Message* message);
  bool ReadKnown(const DocumentMember& member, const FieldDescriptor& field,
                 const Path& path, Message* message);
  bool CheckRequired(const DocumentValue& value, const Path& path,
                     const std::set<std::string>& seen, const Descriptor& type);
  bool ReadList(const DocumentValue& value, const FieldDescriptor& field,
                const Path& path, Message* message);
  bool ReadMap(const DocumentValue& value, const FieldDescriptor& field,
               const Path& path, Message* message);
  bool ReadSingle(const DocumentValue& value, const FieldDescriptor& field,
                  const Path& path, Message* message);
  bool ReadScalar(const DocumentValue& value, const FieldDescriptor& field,
                  const Path& path, Message* message);
  bool ReadNumber(const DocumentValue& value, const FieldDescriptor& field,
                  const Path& path, Message* message);
  bool ReadInteger(const DocumentValue& value, const FieldDescriptor& field,
                   const Path& path, Message* message);
  bool ReadText(const DocumentValue& value, const FieldDescriptor& field,
                const Path& path, Message* message);
  bool ReadTimestamp(const DocumentValue& value, const Path& path,
                     Message* message);

  const Document& document_;
  const bool strict_;
  ReferenceError error_;
};

bool Mapper::Fail(Kind kind, std::size_t offset, const Path& path) {
  error_ = ReferenceError{kind, offset, std::nullopt};
  if (path.plain) error_.field_path = path.text;
  return false;
}

bool Mapper::FailByDocument() {
  error_ = ReferenceError{document_.syntax_error->kind,
                          document_.syntax_error->offset, std::nullopt};
  return false;
}

bool Mapper::FailType(const DocumentValue& value, const Path& path) {
  const bool is_container =
      value.type == Type::kArray || value.type == Type::kObject;
  if (!value.complete && !is_container) return FailByDocument();
  return Fail(Kind::kWrongType, value.begin, path);
}

// Reads the object to which `names` lead from `value`, whose path is `path`.
// The other members on the way were checked when the document was read.
bool Mapper::ReadAt(const DocumentValue& value, std::vector<std::string> names,
                    const Path& path, Message* message) {
  if (value.type != Type::kObject) {
    // Both the document and a member "" have an empty path, but that of the
    // member is not plain.
    const bool is_member = !path.text.empty() || !path.plain;
    if (value.type == Type::kNull && is_member && value.complete) {
      return Fail(Kind::kNullValue, value.begin, path);
    }
    return FailType(value, path);
  }
  if (names.empty()) return ReadMessage(value, Path(), message);
  const std::string name = names.front();
  Path here = path.Field(name);
  if (name.empty()) here.plain = false;
  names.erase(names.begin());
  bool found = false;
  for (const DocumentMember& member : value.members) {
    if (!member.has_colon) return FailByDocument();
    if (member.name == name) {
      if (found) return Fail(Kind::kDuplicateName, member.name_begin, here);
      found = true;
      if (!member.value.has_value()) return FailByDocument();
      if (!ReadAt(*member.value, names, here, message)) return false;
    } else if (!member.value.has_value() || !member.value->complete) {
      return FailByDocument();
    }
  }
  if (!value.complete) return FailByDocument();
  return found || Fail(Kind::kMissingField, value.end - 1, here);
}

const FieldDescriptor* FindField(const Descriptor& type,
                                 const std::string& name) {
  for (int i = 0; i < type.field_count(); ++i) {
    const std::string wire_name = WireName(*type.field(i));
    if (name == wire_name || name == LowerCamelCase(wire_name)) {
      return type.field(i);
    }
  }
  return nullptr;
}

bool Mapper::ReadMessage(const DocumentValue& value, const Path& path,
                         Message* message) {
  if (value.type != Type::kObject) return FailType(value, path);
  const Descriptor& type = *message->GetDescriptor();
  std::set<std::string> seen;  // known names as on the wire
  for (const DocumentMember& member : value.members) {
    if (!member.has_colon) return FailByDocument();
    const FieldDescriptor* const field = FindField(type, member.name);
    const std::string name = field != nullptr ? WireName(*field) : member.name;
    const Path member_path = field != nullptr ? path.Field(name) : path;
    if (!seen.insert(name).second) {
      return Fail(Kind::kDuplicateName, member.name_begin, member_path);
    }
    if (field == nullptr && strict_) {
      return Fail(Kind::kUnknownField, member.name_begin, path);
    }
    if (!member.value.has_value()) return FailByDocument();
    if (field == nullptr) {
      if (!member.value->complete) return FailByDocument();
    } else if (!ReadKnown(member, *field, member_path, message)) {
      return false;
    }
  }
  if (!value.complete) return FailByDocument();
  return CheckRequired(value, path, seen, type);
}

bool Mapper::ReadKnown(const DocumentMember& member,
                       const FieldDescriptor& field, const Path& path,
                       Message* message) {
  const DocumentValue& value = *member.value;
  if (value.type == Type::kNull) {
    if (!value.complete) return FailByDocument();
    return !IsRequired(field) || Fail(Kind::kNullValue, value.begin, path);
  }
  const auto* const oneof = field.real_containing_oneof();
  if (oneof != nullptr && message->GetReflection()->HasOneof(*message, oneof)) {
    return Fail(Kind::kDuplicateName, member.name_begin, path);
  }
  if (field.is_map()) return ReadMap(value, field, path, message);
  if (field.is_repeated()) return ReadList(value, field, path, message);
  return ReadSingle(value, field, path, message);
}

bool Mapper::CheckRequired(const DocumentValue& value, const Path& path,
                           const std::set<std::string>& seen,
                           const Descriptor& type) {
  for (int i = 0; i < type.field_count(); ++i) {
    const std::string name = WireName(*type.field(i));
    if (IsRequired(*type.field(i)) && seen.count(name) == 0) {
      return Fail(Kind::kMissingField, value.end - 1, path.Field(name));
    }
  }
  return true;
}

bool Mapper::ReadList(const DocumentValue& value, const FieldDescriptor& field,
                      const Path& path, Message* message) {
  if (value.type != Type::kArray) return FailType(value, path);
  for (std::size_t i = 0; i < value.elements.size(); ++i) {
    if (!ReadSingle(value.elements[i], field, path.Element(i), message)) {
      return false;
    }
  }
  return value.complete || FailByDocument();
}

bool Mapper::ReadMap(const DocumentValue& value, const FieldDescriptor& field,
                     const Path& path, Message* message) {
  if (value.type != Type::kObject) return FailType(value, path);
  const Descriptor& type = *field.message_type();
  std::set<std::string> keys;
  for (const DocumentMember& member : value.members) {
    if (!member.has_colon) return FailByDocument();
    const Path key_path = path.Key(member.name);
    if (!keys.insert(member.name).second) {
      return Fail(Kind::kDuplicateName, member.name_begin, key_path);
    }
    if (!member.value.has_value()) return FailByDocument();
    Message* const entry =
        message->GetReflection()->AddMessage(message, &field);
    entry->GetReflection()->SetString(entry, type.map_key(), member.name);
    if (!ReadSingle(*member.value, *type.map_value(), key_path, entry)) {
      return false;
    }
  }
  return value.complete || FailByDocument();
}

bool Mapper::ReadSingle(const DocumentValue& value,
                        const FieldDescriptor& field, const Path& path,
                        Message* message) {
  if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
    return ReadScalar(value, field, path, message);
  }
  const Reflection& reflection = *message->GetReflection();
  Message* const child = field.is_repeated()
                             ? reflection.AddMessage(message, &field)
                             : reflection.MutableMessage(message, &field);
  return IsTimestamp(*field.message_type()) ? ReadTimestamp(value, path, child)
                                            : ReadMessage(value, path, child);
}

bool Mapper::ReadScalar(const DocumentValue& value,
                        const FieldDescriptor& field, const Path& path,
                        Message* message) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
    case FieldDescriptor::CPPTYPE_ENUM:
      return ReadText(value, field, path, message);
    case FieldDescriptor::CPPTYPE_BOOL:
      if ((value.type != Type::kTrue && value.type != Type::kFalse) ||
          !value.complete) {
        return FailType(value, path);
      }
      Store<bool>(&Reflection::SetBool, &Reflection::AddBool, field,
                  value.type == Type::kTrue, message);
      return true;
    default:
      break;
  }
  const bool may_be_number =
      value.type == Type::kNumber ||
      (value.type == Type::kString && IsJsonNumber(value.text));
  if (!value.complete || !may_be_number) return FailType(value, path);
  return ReadNumber(value, field, path, message);
}

bool Mapper::ReadNumber(const DocumentValue& value,
                        const FieldDescriptor& field, const Path& path,
                        Message* message) {
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE) {
    const std::optional<double> number = ToDouble(value.text);
    if (!number.has_value()) return FailRange(value, path);
    Store<double>(&Reflection::SetDouble, &Reflection::AddDouble, field,
                  *number, message);
    return true;
  }
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_FLOAT) {
    const std::optional<float> number = ToFloat(value.text);
    if (!number.has_value()) return FailRange(value, path);
    Store<float>(&Reflection::SetFloat, &Reflection::AddFloat, field, *number,
                 message);
    return true;
  }
  return ReadInteger(value, field, path, message);
}

bool Mapper::ReadInteger(const DocumentValue& value,
                         const FieldDescriptor& field, const Path& path,
                         Message* message) {
  const std::optional<WholeNumber> number = ToWholeNumber(value.text);
  if (!number.has_value()) return FailRange(value, path);
  const auto fits = [&number](std::uint64_t max, std::uint64_t lowest) {
    return number->magnitude <= (number->negative ? lowest : max);
  };
  const std::uint64_t bits =
      number->negative ? 0 - number->magnitude : number->magnitude;
  constexpr std::uint64_t k2To31 = std::uint64_t{1} << 31;
  constexpr std::uint64_t k2To63 = std::uint64_t{1} << 63;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      if (!fits(k2To31 - 1, k2To31)) return FailRange(value, path);
      Store<std::int32_t>(&Reflection::SetInt32, &Reflection::AddInt32, field,
                          static_cast<std::int32_t>(bits), message);
      return true;
    case FieldDescriptor::CPPTYPE_INT64:
      if (!fits(k2To63 - 1, k2To63)) return FailRange(value, path);
      Store<std::int64_t>(&Reflection::SetInt64, &Reflection::AddInt64, field,
                          static_cast<std::int64_t>(bits), message);
      return true;
    case FieldDescriptor::CPPTYPE_UINT32:
      if (!fits(2 * k2To31 - 1, 0)) return FailRange(value, path);
      Store<std::uint32_t>(&Reflection::SetUInt32, &Reflection::AddUInt32,
                           field, static_cast<std::uint32_t>(bits), message);
      return true;
    default:
      if (!fits(std::numeric_limits<std::uint64_t>::max(), 0)) {
        return FailRange(value, path);
      }
      Store<std::uint64_t>(&Reflection::SetUInt64, &Reflection::AddUInt64,
                           field, bits, message);
      return true;
  }
}

bool Mapper::ReadText(const DocumentValue& value, const FieldDescriptor& field,
                      const Path& path, Message* message) {
  if (value.type != Type::kString || !value.complete) {
    return FailType(value, path);
  }
  if (field.type() == FieldDescriptor::TYPE_ENUM) {
    const auto* const named = field.enum_type()->FindValueByName(value.text);
    if (named == nullptr) return FailRange(value, path);
    Store<int>(&Reflection::SetEnumValue, &Reflection::AddEnumValue, field,
               named->number(), message);
    return true;
  }
  std::string text = value.text;
  if (field.type() == FieldDescriptor::TYPE_BYTES) {
    const std::optional<std::string> bytes = FromBase64(text);
    if (!bytes.has_value()) return FailRange(value, path);
    text = *bytes;
  }
  Store<std::string>(&Reflection::SetString, &Reflection::AddString, field,
                     text, message);
  return true;
}

bool Mapper::ReadTimestamp(const DocumentValue& value, const Path& path,
                           Message* message) {
  if (value.type != Type::kString || !value.complete) {
    return FailType(value, path);
  }
  const std::optional<UnixTime> time = FromRfc3339(value.text);
  if (!time.has_value()) return FailRange(value, path);
  const Descriptor& type = *message->GetDescriptor();
  const Reflection& reflection = *message->GetReflection();
  reflection.SetInt64(message, type.FindFieldByName("seconds"), time->seconds);
  reflection.SetInt32(message, type.FindFieldByName("nanos"), time->nanos);
  return true;
}

std::vector<std::string> NamesOf(std::string_view path) {
  std::vector<std::string> names;
  if (path.empty()) return names;
  names.emplace_back();
  for (const char c : path) {
    if (c == '.') {
      names.emplace_back();
    } else {
      names.back() += c;
    }
  }
  return names;
}

}  // namespace

std::optional<ReferenceError> ReferenceRead(std::string_view json,
                                            const ReferenceOptions& options,
                                            Message* message) {
  message->Clear();
  const Document document = ReadDocument(json);
  Mapper mapper(document, options.strict);
  if (!document.root.has_value()) {
    mapper.FailByDocument();
    return mapper.error();
  }
  if (!mapper.ReadAt(*document.root, NamesOf(options.path), Path(), message)) {
    return mapper.error();
  }
  if (!mapper.HasSyntaxError()) return std::nullopt;  // none after the object
  mapper.FailByDocument();
  return mapper.error();
}

}  // namespace testing
}  // namespace tokenusage
