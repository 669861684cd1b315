// SPDX-License-Identifier: Apache-2.0

#include "tests/json/fuzz/reference_writer.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <map>
#include <vector>

#include "google/protobuf/descriptor.h"
#include "tests/json/fuzz/document.h"
#include "tests/json/fuzz/field_names.h"
#include "tests/json/fuzz/reference_values.h"
#include "tests/support/fuzzing/shortest_decimal.h"

namespace tokenusage {
namespace testing {
namespace {

using ::google::protobuf::Descriptor;
using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::Message;
using ::google::protobuf::Reflection;

// The JSON of a value; nullopt if the value, or one in it, cannot be written.
using Text = std::optional<std::string>;

constexpr int kMaxDepth = 100;

Text Quoted(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    constexpr std::string_view kSpecial = "\"\\\b\f\n\r\t";
    constexpr std::string_view kLetters = "\"\\bfnrt";
    const std::size_t index = kSpecial.find(c);
    if (index != std::string_view::npos) {
      quoted += {'\\', kLetters[index]};
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char escape[8];
      std::snprintf(escape, sizeof(escape), "\\u%04x", c);
      quoted += escape;
    } else {
      quoted += c;
    }
  }
  quoted += '"';
  if (ReadDocument(quoted).syntax_error.has_value())
    return std::nullopt;  // not UTF-8
  return quoted;
}

// Writes a number by Number::toString of ECMAScript.
template <typename Value>
Text Number(Value value) {
  if (!std::isfinite(value)) return std::nullopt;
  const std::string sign = std::signbit(value) ? "-" : "";
  if (value == 0) return sign + "0";
  const ShortestDecimal decimal = ToShortestDecimal(std::abs(value));
  const std::string& digits = decimal.digits;
  const int point = decimal.exponent;
  const int size = static_cast<int>(digits.size());
  const auto zeros = [](int count) {
    return std::string(static_cast<std::size_t>(count), '0');
  };
  if (size <= point && point <= 21) return sign + digits + zeros(point - size);
  if (0 < point && point <= 21) {
    const auto whole = static_cast<std::size_t>(point);
    return sign + digits.substr(0, whole) + "." + digits.substr(whole);
  }
  if (-6 < point && point <= 0) return sign + "0." + zeros(-point) + digits;
  return sign + digits.substr(0, 1) + (size > 1 ? "." : "") + digits.substr(1) +
         "e" + (point > 0 ? "+" : "") + std::to_string(point - 1);
}

std::string Integer(bool negative, std::uint64_t magnitude) {
  constexpr std::uint64_t kMaxExact = std::uint64_t{1} << 53;
  const std::string text = (negative ? "-" : "") + std::to_string(magnitude);
  return magnitude <= kMaxExact ? text : "\"" + text + "\"";
}

std::string Integer(std::int64_t value) {
  const auto bits = static_cast<std::uint64_t>(value);
  return Integer(value < 0, value < 0 ? 0 - bits : bits);
}

std::string Base64(const std::string& bytes) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bits;
  for (const char c : bytes) {
    for (int bit = 7; bit >= 0; --bit) {
      bits += ((static_cast<unsigned char>(c) >> bit) & 1) != 0 ? '1' : '0';
    }
  }
  bits.resize((bits.size() + 5) / 6 * 6, '0');
  std::string text;
  for (std::size_t i = 0; i < bits.size(); i += 6) {
    text += kAlphabet[std::stoul(bits.substr(i, 6), nullptr, 2)];
  }
  text.resize((text.size() + 3) / 4 * 4, '=');
  return "\"" + text + "\"";
}

// Returns a time's decimals with their point: none, or three, six or nine.
std::string Decimals(int nanos) {
  if (nanos == 0) return "";
  char text[16];
  std::snprintf(text, sizeof(text), ".%09d", nanos);
  std::string decimals = text;
  while (decimals.substr(decimals.size() - 3) == "000") {
    decimals.resize(decimals.size() - 3);
  }
  return decimals;
}

Text Time(std::int64_t seconds, std::int32_t nanos) {
  constexpr std::int64_t kDay = 86400;
  if (seconds < DaysToYear(1) * kDay || seconds >= DaysToYear(10000) * kDay ||
      nanos < 0 || nanos > 999999999) {
    return std::nullopt;
  }
  const std::int64_t rest = seconds - DaysToYear(1) * kDay;  // not negative
  const int second = static_cast<int>(rest % kDay);
  std::int64_t days = rest / kDay;
  int year = 1;
  while (days >= DaysInYear(year)) days -= DaysInYear(year++);
  int month = 1;
  while (days >= DaysInMonth(year, month)) days -= DaysInMonth(year, month++);
  char text[64];
  std::snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d", year,
                month, static_cast<int>(days) + 1, second / 3600,
                second / 60 % 60, second % 60);
  return "\"" + (text + Decimals(nanos)) + "Z\"";
}

Text Write(const Message& message, int depth);

// Writes the value of a field that is not repeated.
Text WriteSingle(const Message& message, const FieldDescriptor& field,
                 int depth) {
  const Reflection& reflection = *message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return Number(reflection.GetDouble(message, &field));
    case FieldDescriptor::CPPTYPE_FLOAT:
      return Number(reflection.GetFloat(message, &field));
    case FieldDescriptor::CPPTYPE_INT32:
      return Integer(reflection.GetInt32(message, &field));
    case FieldDescriptor::CPPTYPE_INT64:
      return Integer(reflection.GetInt64(message, &field));
    case FieldDescriptor::CPPTYPE_UINT32:
      return Integer(false, reflection.GetUInt32(message, &field));
    case FieldDescriptor::CPPTYPE_UINT64:
      return Integer(false, reflection.GetUInt64(message, &field));
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection.GetBool(message, &field) ? "true" : "false";
    case FieldDescriptor::CPPTYPE_STRING: {
      const std::string text = reflection.GetString(message, &field);
      return field.type() == FieldDescriptor::TYPE_BYTES ? Base64(text)
                                                         : Quoted(text);
    }
    case FieldDescriptor::CPPTYPE_ENUM: {
      const auto* const value = field.enum_type()->FindValueByNumber(
          reflection.GetEnumValue(message, &field));
      if (value == nullptr) return std::nullopt;
      return Quoted(std::string(value->name()));
    }
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return Write(reflection.GetMessage(message, &field), depth);
  }
  return std::nullopt;
}

// Writes the repeated field's n-th element.
Text WriteElement(const Message& message, const FieldDescriptor& field, int n,
                  int depth) {
  const Reflection& reflection = *message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return Number(reflection.GetRepeatedDouble(message, &field, n));
    case FieldDescriptor::CPPTYPE_FLOAT:
      return Number(reflection.GetRepeatedFloat(message, &field, n));
    case FieldDescriptor::CPPTYPE_INT32:
      return Integer(reflection.GetRepeatedInt32(message, &field, n));
    case FieldDescriptor::CPPTYPE_INT64:
      return Integer(reflection.GetRepeatedInt64(message, &field, n));
    case FieldDescriptor::CPPTYPE_UINT32:
      return Integer(false, reflection.GetRepeatedUInt32(message, &field, n));
    case FieldDescriptor::CPPTYPE_UINT64:
      return Integer(false, reflection.GetRepeatedUInt64(message, &field, n));
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection.GetRepeatedBool(message, &field, n) ? "true" : "false";
    case FieldDescriptor::CPPTYPE_STRING: {
      const std::string text = reflection.GetRepeatedString(message, &field, n);
      return field.type() == FieldDescriptor::TYPE_BYTES ? Base64(text)
                                                         : Quoted(text);
    }
    case FieldDescriptor::CPPTYPE_ENUM: {
      const auto* const value = field.enum_type()->FindValueByNumber(
          reflection.GetRepeatedEnumValue(message, &field, n));
      if (value == nullptr) return std::nullopt;
      return Quoted(std::string(value->name()));
    }
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return Write(reflection.GetRepeatedMessage(message, &field, n), depth);
  }
  return std::nullopt;
}

std::string Joined(const std::vector<std::string>& parts) {
  std::string joined;
  for (const std::string& part : parts) {
    joined += (joined.empty() ? "" : ",") + part;
  }
  return joined;
}

Text WriteList(const Message& message, const FieldDescriptor& field,
               int depth) {
  if (depth > kMaxDepth) return std::nullopt;
  std::vector<std::string> elements;
  const int size = message.GetReflection()->FieldSize(message, &field);
  for (int n = 0; n < size; ++n) {
    const Text element = WriteElement(message, field, n, depth + 1);
    if (!element.has_value()) return std::nullopt;
    elements.push_back(*element);
  }
  return "[" + Joined(elements) + "]";
}

Text WriteMap(const Message& message, const FieldDescriptor& field, int depth) {
  if (depth > kMaxDepth) return std::nullopt;
  const Reflection& reflection = *message.GetReflection();
  const Descriptor& type = *field.message_type();
  std::map<std::string, const Message*> entries;  // in order of their bytes
  for (int n = 0; n < reflection.FieldSize(message, &field); ++n) {
    const Message& entry = reflection.GetRepeatedMessage(message, &field, n);
    entries[entry.GetReflection()->GetString(entry, type.map_key())] = &entry;
  }
  std::vector<std::string> members;
  for (const auto& [key, entry] : entries) {
    const Text name = Quoted(key);
    const Text value = WriteSingle(*entry, *type.map_value(), depth + 1);
    if (!name.has_value() || !value.has_value()) return std::nullopt;
    members.push_back(*name + ":" + *value);
  }
  return "{" + Joined(members) + "}";
}

// Returns whether a field has a member in the message's JSON.
bool IsWritten(const Message& message, const FieldDescriptor& field) {
  const Reflection& reflection = *message.GetReflection();
  if (field.is_repeated()) return reflection.FieldSize(message, &field) > 0;
  return !field.has_presence() || reflection.HasField(message, &field);
}

// Writes a message. `depth` is the message's own level of nesting, 1 for the
// document.
Text Write(const Message& message, int depth) {
  const Descriptor& type = *message.GetDescriptor();
  if (IsTimestamp(type)) {
    const Reflection& reflection = *message.GetReflection();
    return Time(reflection.GetInt64(message, type.FindFieldByName("seconds")),
                reflection.GetInt32(message, type.FindFieldByName("nanos")));
  }
  if (depth > kMaxDepth) return std::nullopt;
  std::vector<std::string> members;
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (!IsWritten(message, field)) {
      if (IsRequired(field)) return std::nullopt;
      continue;
    }
    const Text name = Quoted(WireName(field));
    const Text value = field.is_map() ? WriteMap(message, field, depth + 1)
                       : field.is_repeated()
                           ? WriteList(message, field, depth + 1)
                           : WriteSingle(message, field, depth + 1);
    if (!name.has_value() || !value.has_value()) return std::nullopt;
    members.push_back(*name + ":" + *value);
  }
  return "{" + Joined(members) + "}";
}

}  // namespace

std::optional<std::string> ReferenceWrite(const Message& message) {
  return Write(message, 1);
}

}  // namespace testing
}  // namespace tokenusage
