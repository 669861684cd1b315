// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/json/internal/message_plan.h"

#include <mutex>
#include <shared_mutex>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "tokenusage/base/json_string.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/base/string_view.h"
#include "tokenusage/base/utf8.h"
#include "tokenusage/v1/options.pb.h"

namespace tokenusage {
namespace json_internal {
namespace {

using ::google::protobuf::Descriptor;
using ::google::protobuf::DescriptorPool;
using ::google::protobuf::FieldDescriptor;

absl::Status Refuse(const FieldDescriptor& field, std::string_view why) {
  return absl::FailedPreconditionError(
      absl::StrCat(std::string(field.full_name()), ": ", ToAbsl(why)));
}

// Returns an error that suggests what the field's author may have meant: the
// .proto name is the wire name, or the API's names are in camelCase.
absl::Status RefuseJsonName(const FieldDescriptor& field,
                            const std::string& json_name,
                            const std::string& wire_name) {
  std::string why = absl::StrCat("json_name is \"", json_name,
                                 "\", but must be the wire name: write "
                                 "[json_name = \"",
                                 wire_name, "\"]");
  if (!field.options().HasExtension(v1::wire_name)) {
    absl::StrAppend(&why, ", or, if the API calls it \"", json_name,
                    "\", [json_name = \"", json_name,
                    "\", (tokenusage.v1.wire_name) = \"", json_name, "\"]");
  }
  return Refuse(field, why);
}

// Returns the kind of a field's values; false if they are a group.
bool KindOf(const FieldDescriptor& field, FieldKind* kind) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_DOUBLE:
      *kind = FieldKind::kDouble;
      return true;
    case FieldDescriptor::CPPTYPE_FLOAT:
      *kind = FieldKind::kFloat;
      return true;
    case FieldDescriptor::CPPTYPE_INT32:
      *kind = FieldKind::kInt32;
      return true;
    case FieldDescriptor::CPPTYPE_INT64:
      *kind = FieldKind::kInt64;
      return true;
    case FieldDescriptor::CPPTYPE_UINT32:
      *kind = FieldKind::kUInt32;
      return true;
    case FieldDescriptor::CPPTYPE_UINT64:
      *kind = FieldKind::kUInt64;
      return true;
    case FieldDescriptor::CPPTYPE_BOOL:
      *kind = FieldKind::kBool;
      return true;
    case FieldDescriptor::CPPTYPE_STRING:
      *kind = field.type() == FieldDescriptor::TYPE_BYTES ? FieldKind::kBytes
                                                          : FieldKind::kString;
      return true;
    case FieldDescriptor::CPPTYPE_ENUM:
      *kind = FieldKind::kEnum;
      return true;
    case FieldDescriptor::CPPTYPE_MESSAGE:
      *kind = field.message_type()->well_known_type() ==
                      Descriptor::WELLKNOWNTYPE_TIMESTAMP
                  ? FieldKind::kTimestamp
                  : FieldKind::kMessage;
      return field.type() != FieldDescriptor::TYPE_GROUP;
  }
  return false;
}

absl::Status SetNames(const FieldDescriptor& field, FieldPlan* plan) {
  plan->wire_name = WireNameOf(field);
  // In newer versions of protobuf, json_name() returns a string_view.
  // NOLINTNEXTLINE(performance-unnecessary-copy-initialization)
  const std::string json_name(field.json_name());
  // The two fields of a map's entry have no separate JSON names.
  if (json_name != plan->wire_name &&
      !field.containing_type()->options().map_entry()) {
    return RefuseJsonName(field, json_name, plan->wire_name);
  }
  if (!IsUtf8(plan->wire_name)) return Refuse(field, "wire_name is not UTF-8");
  plan->alias = LowerCamelCase(plan->wire_name);
  AppendJsonString(plan->wire_name, &plan->quoted);
  plan->quoted += ':';
  return absl::OkStatus();
}

absl::Status SetType(const FieldDescriptor& field, FieldPlan* plan) {
  if (!KindOf(field, &plan->kind)) {
    return Refuse(field, "groups are not supported in JSON");
  }
  if (plan->kind == FieldKind::kEnum) {
    // ProtoJSON writes it as null.
    if (field.enum_type()->full_name() == "google.protobuf.NullValue") {
      return Refuse(field,
                    "google.protobuf.NullValue is not supported in JSON");
    }
    plan->enum_names = std::make_shared<EnumNames>(*field.enum_type());
  }
  if (field.is_map()) {
    plan->shape = FieldShape::kMap;
    if (field.message_type()->map_key()->type() !=
        FieldDescriptor::TYPE_STRING) {
      return Refuse(field, "only maps with string keys are supported in JSON");
    }
  } else if (field.is_repeated()) {
    plan->shape = FieldShape::kRepeated;
  }
  plan->has_presence = field.has_presence();
  const bool required = field.options().GetExtension(v1::required);
  if (required && !plan->has_presence) {
    return Refuse(field,
                  "(tokenusage.v1.required) needs a field with presence");
  }
  if (required && field.real_containing_oneof() != nullptr) {
    return Refuse(field,
                  "(tokenusage.v1.required) is not for members of a oneof");
  }
  plan->required = required || field.is_required();
  if (field.real_containing_oneof() != nullptr) {
    plan->oneof = field.real_containing_oneof()->index();
  }
  return absl::OkStatus();
}

// Makes the plans of a message and of all messages that it refers to.
class PlanBuilder {
 public:
  absl::Status Add(const Descriptor* root) {
    Declare(root);
    while (!pending_.empty()) {
      const Descriptor* descriptor = pending_.back();
      pending_.pop_back();
      TOKENUSAGE_RETURN_IF_ERROR(Fill(descriptor));
    }
    return absl::OkStatus();
  }

  PlanSet TakePlans() { return std::move(plans_); }

 private:
  MessagePlan* Declare(const Descriptor* descriptor) {
    std::unique_ptr<MessagePlan>& plan = plans_[descriptor];
    if (plan == nullptr) {
      plan = std::make_unique<MessagePlan>();
      pending_.push_back(descriptor);
    }
    return plan.get();
  }

  absl::Status Fill(const Descriptor* descriptor) {
    MessagePlan* const plan = plans_[descriptor].get();
    const int count = descriptor->field_count();
    // Sized once, since by_name points into it.
    plan->fields.resize(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) {
      const FieldDescriptor& field = *descriptor->field(i);
      FieldPlan* const field_plan = &plan->fields[static_cast<std::size_t>(i)];
      field_plan->field = &field;
      field_plan->index = static_cast<std::size_t>(i);
      TOKENUSAGE_RETURN_IF_ERROR(SetNames(field, field_plan));
      TOKENUSAGE_RETURN_IF_ERROR(SetType(field, field_plan));
      TOKENUSAGE_RETURN_IF_ERROR(SetSubPlan(field, field_plan));
    }
    return IndexNames(plan);
  }

  absl::Status SetSubPlan(const FieldDescriptor& field, FieldPlan* plan) {
    if (plan->kind != FieldKind::kMessage) return absl::OkStatus();
    const Descriptor* const type = field.message_type();
    if (type->well_known_type() != Descriptor::WELLKNOWNTYPE_UNSPECIFIED) {
      return Refuse(field, absl::StrCat(std::string(type->full_name()),
                                        " is not supported in JSON"));
    }
    plan->message = Declare(type);
    return absl::OkStatus();
  }

  static absl::Status IndexNames(MessagePlan* plan) {
    for (const FieldPlan& field : plan->fields) {
      for (const std::string* name : {&field.wire_name, &field.alias}) {
        const FieldPlan* const other =
            plan->by_name.emplace(*name, &field).first->second;
        if (other != &field) {
          return Refuse(*field.field,
                        absl::StrCat("is named \"", *name,
                                     "\" in JSON, which is also a "
                                     "name of ",
                                     std::string(other->field->name())));
        }
      }
    }
    return absl::OkStatus();
  }

  PlanSet plans_;
  std::vector<const Descriptor*> pending_;
};

absl::StatusOr<PlanSet> BuildPlans(const Descriptor* descriptor) {
  if (descriptor->well_known_type() != Descriptor::WELLKNOWNTYPE_UNSPECIFIED) {
    return absl::FailedPreconditionError(
        absl::StrCat(std::string(descriptor->full_name()),
                     ": a well-known type is not a JSON document here"));
  }
  PlanBuilder builder;
  TOKENUSAGE_RETURN_IF_ERROR(builder.Add(descriptor));
  return builder.TakePlans();
}

// The plans of compiled-in messages, whose descriptors are never destroyed.
class PlanCache {
 public:
  absl::StatusOr<const MessagePlan*> Get(const Descriptor* descriptor) {
    {
      std::shared_lock lock(mutex_);
      const auto found = plan_sets_.find(descriptor);
      if (found != plan_sets_.end()) return found->second.at(descriptor).get();
    }
    TOKENUSAGE_ASSIGN_OR_RETURN(PlanSet plans, BuildPlans(descriptor));
    std::unique_lock lock(mutex_);
    // If another thread was first, its plans stay: they are in use.
    const PlanSet& kept =
        plan_sets_.emplace(descriptor, std::move(plans)).first->second;
    return kept.at(descriptor).get();
  }

 private:
  // Not abseil's: its locks take a pointer in old versions and a reference in
  // new ones.
  std::shared_mutex mutex_;  // guards plan_sets_
  absl::flat_hash_map<const Descriptor*, PlanSet> plan_sets_;
};

}  // namespace

EnumNames::EnumNames(const ::google::protobuf::EnumDescriptor& type) {
  for (int i = 0; i < type.value_count(); ++i) {
    const ::google::protobuf::EnumValueDescriptor& value = *type.value(i);
    numbers_.emplace(std::string(value.name()), value.number());
    names_.emplace(value.number(), std::string(value.name()));
  }
}

bool EnumNames::FindNumber(std::string_view name, int* number) const {
  const auto found = numbers_.find(ToAbsl(name));
  if (found == numbers_.end()) return false;
  *number = found->second;
  return true;
}

std::string_view EnumNames::FindName(int number) const {
  const auto found = names_.find(number);
  return found == names_.end() ? std::string_view() : found->second;
}

const FieldPlan* MessagePlan::Find(std::string_view name) const {
  const auto found = by_name.find(ToAbsl(name));
  return found == by_name.end() ? nullptr : found->second;
}

absl::StatusOr<PlanHandle> GetMessagePlan(const Descriptor* descriptor) {
  if (descriptor->file()->pool() == DescriptorPool::generated_pool()) {
    static PlanCache* const cache = new PlanCache;
    TOKENUSAGE_ASSIGN_OR_RETURN(const MessagePlan* plan,
                                cache->Get(descriptor));
    return PlanHandle{plan, nullptr};
  }
  // Not kept: a dynamic descriptor may be destroyed, and its address reused.
  TOKENUSAGE_ASSIGN_OR_RETURN(PlanSet plans, BuildPlans(descriptor));
  const auto owner = std::make_shared<const PlanSet>(std::move(plans));
  return PlanHandle{owner->at(descriptor).get(), owner};
}

std::string WireNameOf(const FieldDescriptor& field) {
  const std::string& name = field.options().GetExtension(v1::wire_name);
  return name.empty() ? std::string(field.name()) : name;
}

std::string LowerCamelCase(std::string_view name) {
  std::string camel;
  bool capitalize = false;
  for (const char c : name) {
    if (c == '_') {
      capitalize = true;
    } else {
      camel.push_back(
          capitalize ? absl::ascii_toupper(static_cast<unsigned char>(c)) : c);
      capitalize = false;
    }
  }
  return camel;
}

}  // namespace json_internal
}  // namespace tokenusage
