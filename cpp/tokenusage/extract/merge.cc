// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/extract/merge.h"

#include <vector>

#include "google/protobuf/descriptor.h"

namespace tokenusage::extract_internal {
namespace {

using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::Message;
using ::google::protobuf::Reflection;

std::vector<const FieldDescriptor*> SetFields(const Message& message) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  return fields;
}

bool IsMessage(const FieldDescriptor* field) {
  return field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
}

// Returns whether the field is a count of 0.
bool IsZero(const Message& message, const FieldDescriptor* field) {
  if (field->is_repeated()) return false;
  const Reflection& reflection = *message.GetReflection();
  return field->cpp_type() == FieldDescriptor::CPPTYPE_INT64
             ? reflection.GetInt64(message, field) == 0
             : field->cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE &&
                   reflection.GetDouble(message, field) == 0;
}

// Replaces the fields that `later` states; lists as a whole. If `zero_keeps`, a
// count of 0 does not replace another count.
void ReplaceFields(bool zero_keeps, Message* later, Message* usage) {
  const Reflection& reflection = *usage->GetReflection();
  std::vector<const FieldDescriptor*> taken;
  for (const FieldDescriptor* field : SetFields(*later)) {
    if (IsMessage(field) && !field->is_repeated()) {
      ReplaceFields(zero_keeps, reflection.MutableMessage(later, field),
                    reflection.MutableMessage(usage, field));
    } else if (!zero_keeps || !IsZero(*later, field) ||
               !reflection.HasField(*usage, field)) {
      taken.push_back(field);
    }
  }
  reflection.SwapFields(usage, later, taken);
}

void AddFields(const Message& later, Message* usage);

// Returns whether both count the same thing: their texts, such as `modality`,
// are equal.
bool HaveSameTexts(const Message& a, const Message& b) {
  const auto* type = a.GetDescriptor();
  for (int i = 0; i < type->field_count(); ++i) {
    const FieldDescriptor* field = type->field(i);
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING &&
        !field->is_repeated() &&
        a.GetReflection()->GetString(a, field) !=
            b.GetReflection()->GetString(b, field)) {
      return false;
    }
  }
  return true;
}

void AddElement(const Message& later, const FieldDescriptor* field,
                Message* usage) {
  const Reflection& reflection = *usage->GetReflection();
  for (int i = 0; i < reflection.FieldSize(*usage, field); ++i) {
    Message* const element = reflection.MutableRepeatedMessage(usage, field, i);
    if (HaveSameTexts(later, *element)) return AddFields(later, element);
  }
  reflection.AddMessage(usage, field)->CopyFrom(later);
}

// Adds the counts of `later`. They cannot overflow: the caller checks the range
// of `later` before, and of `usage` after each merge.
void AddFields(const Message& later, Message* usage) {
  const Reflection& reflection = *usage->GetReflection();
  for (const FieldDescriptor* field : SetFields(later)) {
    if (field->is_repeated()) {
      if (!IsMessage(field)) continue;
      for (int i = 0; i < reflection.FieldSize(later, field); ++i) {
        AddElement(reflection.GetRepeatedMessage(later, field, i), field,
                   usage);
      }
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_INT64) {
      reflection.SetInt64(usage, field,
                          reflection.GetInt64(*usage, field) +
                              reflection.GetInt64(later, field));
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE) {
      reflection.SetDouble(usage, field,
                           reflection.GetDouble(*usage, field) +
                               reflection.GetDouble(later, field));
    } else if (IsMessage(field)) {
      AddFields(reflection.GetMessage(later, field),
                reflection.MutableMessage(usage, field));
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      reflection.SetString(usage, field, reflection.GetString(later, field));
    }
  }
}

}  // namespace

void MergeUsage(Merge merge, Message* later, Message* usage) {
  switch (merge) {
    case Merge::kLast:
    case Merge::kEach:
      return usage->GetReflection()->Swap(usage, later);
    case Merge::kFields:
      return ReplaceFields(/*zero_keeps=*/false, later, usage);
    case Merge::kFieldsButZeros:
      return ReplaceFields(/*zero_keeps=*/true, later, usage);
    case Merge::kSum:
      return AddFields(*later, usage);
  }
}

}  // namespace tokenusage::extract_internal
