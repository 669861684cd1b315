// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/record/same_content.h"

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "google/protobuf/descriptor.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/map.h"
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

// Returns whether the field is a map whose values are not messages, and so have
// no unknown fields.
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

// Returns the same bytes for records with the same fields, if their unknown
// fields are in the same order.
std::string BytesOf(const Message& record) {
  std::string bytes;
  {
    ::google::protobuf::io::StringOutputStream stream(&bytes);
    ::google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    static_cast<void>(record.SerializeToCodedStream(&coded));
  }
  return bytes;
}

// Clears the fields that are output only.
void ClearOutput(v1::UsageRecord* record) {
  record->clear_receive_time();
  record->clear_inconsistencies();
  record->clear_corrected_by();
}

// Returns the path of the first known field that differs; empty if none does.
// Takes the fields out of the messages.
std::string FirstKnownDifference(Message* a, Message* b) {
  const Reflection& reflection = *a->GetReflection();
  const ::google::protobuf::Descriptor& type = *a->GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor* const field = type.field(i);
    const std::unique_ptr<Message> from_a(a->New());
    const std::unique_ptr<Message> from_b(b->New());
    reflection.SwapFields(a, from_a.get(), {field});
    reflection.SwapFields(b, from_b.get(), {field});
    if (BytesOf(*from_a) == BytesOf(*from_b)) continue;
    const bool both_are_messages = !field->is_repeated() &&
                                   field->message_type() != nullptr &&
                                   reflection.HasField(*from_a, field) &&
                                   reflection.HasField(*from_b, field);
    std::string path(field->name());
    if (!both_are_messages) return path;
    const std::string inner =
        FirstKnownDifference(reflection.MutableMessage(from_a.get(), field),
                             reflection.MutableMessage(from_b.get(), field));
    return inner.empty() ? path : path + "." + inner;
  }
  return "";
}

// Returns the least key that is missing in one of the maps, or has another
// value there.
std::string FirstDifferentKey(
    const ::google::protobuf::Map<std::string, std::string>& a,
    const ::google::protobuf::Map<std::string, std::string>& b) {
  std::set<std::string> different;
  for (const auto& [key, value] : a) {
    const auto found = b.find(key);
    if (found == b.end() || found->second != value) different.insert(key);
  }
  for (const auto& [key, value] : b) {
    if (!a.contains(key)) different.insert(key);
  }
  return *different.begin();
}

}  // namespace

std::string FirstDifference(v1::UsageRecord a, v1::UsageRecord b) {
  if (SameContent(a, b)) return "";
  for (v1::UsageRecord* record : {&a, &b}) {
    ClearOutput(record);
    SortUnknownFields(record);
  }
  v1::UsageRecord a_rest = a;
  v1::UsageRecord b_rest = b;
  const std::string field = FirstKnownDifference(&a_rest, &b_rest);
  if (field == "labels") {
    return "labels." + FirstDifferentKey(a.labels(), b.labels());
  }
  return field.empty() ? "an unknown field" : field;
}

bool SameContent(v1::UsageRecord a, v1::UsageRecord b) {
  ClearOutput(&a);
  ClearOutput(&b);
  if (BytesOf(a) == BytesOf(b)) return true;
  SortUnknownFields(&a);
  SortUnknownFields(&b);
  return BytesOf(a) == BytesOf(b);
}

}  // namespace tokenusage
