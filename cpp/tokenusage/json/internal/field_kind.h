// SPDX-License-Identifier: Apache-2.0
//
// Describes a field's type to the reader and the writer.

#ifndef TOKENUSAGE_JSON_INTERNAL_FIELD_KIND_H_
#define TOKENUSAGE_JSON_INTERNAL_FIELD_KIND_H_

#include <string_view>

// Inlines the few functions that each field's code consists of. Otherwise
// compilers leave them out of line, as each message calls them often.
#define TOKENUSAGE_INLINE __attribute__((always_inline)) inline
#define TOKENUSAGE_LAMBDA __attribute__((always_inline))

namespace tokenusage {
namespace json_internal {

// The type of a field's value; of its elements if the field is repeated, and
// of its values if it is a map.
enum class FieldKind {
  kDouble,
  kFloat,
  kInt32,
  kInt64,
  kUInt32,
  kUInt64,
  kBool,
  kString,
  kBytes,
  kEnum,
  kMessage,
  kTimestamp
};

enum class FieldShape { kSingular, kRepeated, kMap };

// Returns how errors describe a value of the kind.
constexpr std::string_view ExpectedOf(FieldKind kind) {
  switch (kind) {
    case FieldKind::kDouble:
    case FieldKind::kFloat:
      return "a number";
    case FieldKind::kInt32:
      return "an integer from -2147483648 to 2147483647";
    case FieldKind::kInt64:
      return "an integer from -9223372036854775808 to 9223372036854775807";
    case FieldKind::kUInt32:
      return "an integer from 0 to 4294967295";
    case FieldKind::kUInt64:
      return "an integer from 0 to 18446744073709551615";
    case FieldKind::kBool:
      return "true or false";
    case FieldKind::kString:
      return "a string";
    case FieldKind::kBytes:
      return "a string of base64";
    case FieldKind::kEnum:
      return "the name of an enum value";
    case FieldKind::kMessage:
      return "an object";
    case FieldKind::kTimestamp:
      return "an RFC 3339 time, as \"2024-05-01T12:00:00Z\"";
  }
  return "";
}

// The deepest nesting of objects and arrays that is read or written.
inline constexpr int kMaxDepth = 100;

// Limits on the messages that the plugin generates code for.
inline constexpr int kMaxGeneratedFields = 256;
inline constexpr int kMaxGeneratedOneofs = 64;

}  // namespace json_internal
}  // namespace tokenusage

#endif  // TOKENUSAGE_JSON_INTERNAL_FIELD_KIND_H_
