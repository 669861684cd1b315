// The kinds of fields that have a JSON form.

#ifndef TOKENUSAGE_JSON_FIELD_KIND_H_
#define TOKENUSAGE_JSON_FIELD_KIND_H_

namespace tokenusage {
namespace json_internal {

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

}  // namespace json_internal
}  // namespace tokenusage

#endif  // TOKENUSAGE_JSON_FIELD_KIND_H_
