// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/record/same_content.h"

#include <algorithm>
#include <string>
#include <vector>

#include "google/protobuf/descriptor.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/message.h"
#include "google/protobuf/unknown_field_set.h"

namespace tokenusage {
namespace {

using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::Message;
using ::google::protobuf::Reflection;
using ::google::protobuf::UnknownField;
using ::google::protobuf::UnknownFieldSet;

// Sorts unknown fields, which come in any order.
void Sort(UnknownFieldSet* fields) {
  std::vector<std::string> sorted;
  for (int i = 0; i < fields->field_count(); ++i) {
    UnknownField* const field = fields->mutable_field(i);
    if (field->type() == UnknownField::TYPE_GROUP) {
      Sort(field->mutable_group());
    }
    UnknownFieldSet alone;
    alone.AddField(*field);
    static_cast<void>(alone.SerializeToString(&sorted.emplace_back()));
  }
  std::sort(sorted.begin(), sorted.end());
  std::string all;
  for (const std::string& field : sorted) all += field;
  static_cast<void>(fields->ParseFromString(all));
}

// Returns whether no message, and so no unknown field, is in the field's
// values.
bool IsMapOfScalars(const FieldDescriptor& field) {
  return field.is_map() &&
         field.message_type()->map_value()->message_type() == nullptr;
}

// Sorts the unknown fields of the message and of all messages in it.
void SortUnknownFields(Message* message) {
  const Reflection& reflection = *message->GetReflection();
  if (!reflection.GetUnknownFields(*message).empty()) {
    Sort(reflection.MutableUnknownFields(message));
  }
  std::vector<const FieldDescriptor*> set_fields;
  reflection.ListFields(*message, &set_fields);
  for (const FieldDescriptor* field : set_fields) {
    if (field->message_type() == nullptr || IsMapOfScalars(*field)) continue;
    if (!field->is_repeated()) {
      SortUnknownFields(reflection.MutableMessage(message, field));
      continue;
    }
    for (int i = 0; i < reflection.FieldSize(*message, field); ++i) {
      SortUnknownFields(reflection.MutableRepeatedMessage(message, field, i));
    }
  }
}

// Returns the same bytes for the same fields in the same order.
std::string BytesOf(const v1::UsageRecord& record) {
  std::string bytes;
  {
    ::google::protobuf::io::StringOutputStream stream(&bytes);
    ::google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    static_cast<void>(record.SerializeToCodedStream(&coded));
  }
  return bytes;
}

}  // namespace

bool SameContent(v1::UsageRecord a, v1::UsageRecord b) {
  for (v1::UsageRecord* record : {&a, &b}) {
    record->clear_receive_time();
    record->clear_inconsistencies();
    record->clear_corrected_by();
  }
  if (BytesOf(a) == BytesOf(b)) return true;
  SortUnknownFields(&a);
  SortUnknownFields(&b);
  return BytesOf(a) == BytesOf(b);
}

}  // namespace tokenusage
