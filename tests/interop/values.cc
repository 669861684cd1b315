// SPDX-License-Identifier: Apache-2.0

#include "tests/interop/values.h"

#include <cstdint>
#include <cstring>
#include <map>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "google/protobuf/descriptor.h"

namespace tokenusage::interop {
namespace {

using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::Message;
using ::google::protobuf::Reflection;

std::string Quoted(const std::string& text) {
  return absl::StrCat(
      "\"",
      absl::StrReplaceAll(text,
                          {{"\\", "\\\\"}, {"\"", "\\\""}, {"\n", "\\n"}}),
      "\"");
}

std::string BitsOf(double value) {
  std::uint64_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return absl::StrCat(absl::Hex(bits, absl::kZeroPad16));
}

void AddMessage(const std::string& path, const Message& message,
                std::string* out);

// Adds the value of a singular field, or of the element at `index` unless it is
// negative.
void AddValue(const std::string& path, const Message& message,
              const FieldDescriptor* field, int index, std::string* out) {
  const Reflection* reflection = message.GetReflection();
  const auto get = [&](auto singular, auto repeated) {
    return index < 0 ? (reflection->*singular)(message, field)
                     : (reflection->*repeated)(message, field, index);
  };
  std::string value;
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_MESSAGE:
      absl::StrAppend(out, path, " {}\n");
      AddMessage(absl::StrCat(path, "."),
                 index < 0
                     ? reflection->GetMessage(message, field)
                     : reflection->GetRepeatedMessage(message, field, index),
                 out);
      return;
    case FieldDescriptor::CPPTYPE_STRING:
      value =
          Quoted(get(&Reflection::GetString, &Reflection::GetRepeatedString));
      break;
    case FieldDescriptor::CPPTYPE_DOUBLE:
      value =
          BitsOf(get(&Reflection::GetDouble, &Reflection::GetRepeatedDouble));
      break;
    case FieldDescriptor::CPPTYPE_BOOL:
      value = get(&Reflection::GetBool, &Reflection::GetRepeatedBool) ? "true"
                                                                      : "false";
      break;
    case FieldDescriptor::CPPTYPE_ENUM:
      value = absl::StrCat(
          get(&Reflection::GetEnumValue, &Reflection::GetRepeatedEnumValue));
      break;
    case FieldDescriptor::CPPTYPE_INT32:
      value = absl::StrCat(
          get(&Reflection::GetInt32, &Reflection::GetRepeatedInt32));
      break;
    case FieldDescriptor::CPPTYPE_INT64:
      value = absl::StrCat(
          get(&Reflection::GetInt64, &Reflection::GetRepeatedInt64));
      break;
    default:
      // A field of a new kind must fail the tests: no reader in another
      // language writes this text.
      value = absl::StrCat("a kind that values.cc does not know: ",
                           field->cpp_type_name());
  }
  absl::StrAppend(out, path, " ", value, "\n");
}

// Adds the entries of a map with string keys, ordered by key.
void AddMap(const std::string& path, const Message& message,
            const FieldDescriptor* field, std::string* out) {
  const Reflection* reflection = message.GetReflection();
  std::map<std::string, std::string> lines;
  for (int i = 0; i < reflection->FieldSize(message, field); ++i) {
    const Message& entry = reflection->GetRepeatedMessage(message, field, i);
    const auto* key = field->message_type()->map_key();
    const std::string name = entry.GetReflection()->GetString(entry, key);
    AddValue(absl::StrCat(path, "[", Quoted(name), "]"), entry,
             field->message_type()->map_value(), -1, &lines[name]);
  }
  for (const auto& line : lines) absl::StrAppend(out, line.second);
}

void AddMessage(const std::string& path, const Message& message,
                std::string* out) {
  const Reflection* reflection = message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection->ListFields(message, &fields);  // Ordered by number.
  for (const FieldDescriptor* field : fields) {
    const std::string name = absl::StrCat(path, field->name());
    if (field->is_map()) {
      AddMap(name, message, field, out);
    } else if (field->is_repeated()) {
      for (int i = 0; i < reflection->FieldSize(message, field); ++i) {
        AddValue(absl::StrCat(name, "[", i, "]"), message, field, i, out);
      }
    } else {
      AddValue(name, message, field, -1, out);
    }
  }
}

}  // namespace

std::string ValuesOf(const Message& message) {
  std::string out =
      absl::StrCat("message ", message.GetDescriptor()->full_name(), "\n");
  AddMessage("", message, &out);
  return out;
}

}  // namespace tokenusage::interop
