// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/record/usage_check.h"

#include <charconv>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "google/protobuf/descriptor.h"
#include "tokenusage/record/token_amount.h"
#include "tokenusage/v1/options.pb.h"

namespace tokenusage {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// What of a message type has to be looked at.
struct Plan {
  struct Field {
    const FieldDescriptor* field;
    bool required;
    const Plan* nested;  // null where the field is not a message
  };
  std::vector<Field> fields;
};

// The plans of all message types seen so far. Reading a field's options takes
// several times longer than the check itself.
class PlanCache {
 public:
  const Plan& Get(const Descriptor* type) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return Build(type);
  }

 private:
  // Types may contain themselves: a plan is entered before it is filled.
  const Plan& Build(const Descriptor* type) {
    std::unique_ptr<Plan>& plan = plans_[type];
    if (plan != nullptr) return *plan;
    plan = std::make_unique<Plan>();
    Plan& filled = *plan;
    for (int i = 0; i < type->field_count(); ++i) {
      const FieldDescriptor* field = type->field(i);
      const bool required = field->options().GetExtension(v1::required);
      const Descriptor* nested = field->message_type();
      const bool is_count =
          field->cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE ||
          field->cpp_type() == FieldDescriptor::CPPTYPE_FLOAT;
      if (required || is_count || nested != nullptr) {
        filled.fields.push_back(
            {field, required, nested == nullptr ? nullptr : &Build(nested)});
      }
    }
    return filled;
  }

  std::mutex mutex_;
  std::map<const Descriptor*, std::unique_ptr<Plan>> plans_;
};

const Plan& PlanOf(const Message& message) {
  static auto* const cache = new PlanCache;
  return cache->Get(message.GetDescriptor());
}

std::string Shortest(double value) {
  char text[32];
  return std::string(text, std::to_chars(text, text + sizeof(text), value).ptr);
}

std::optional<UsageFault> CheckCount(double count,
                                     const FieldDescriptor* field) {
  if (count >= 0 && count <= kMaxTokenCount) return std::nullopt;
  return UsageFault{
      v1::RECORD_ERROR_REASON_COUNT_OUT_OF_RANGE, std::string(field->name()),
      "expected a number from 0 to 9007199254740992 (2^53), found " +
          Shortest(count)};
}

std::optional<UsageFault> CheckFields(const Message& message, const Plan& plan);

// Checks a singular field that is set, or one element of a repeated one.
std::optional<UsageFault> CheckValue(const Message& message,
                                     const Plan::Field& part, int index) {
  const Reflection* reflection = message.GetReflection();
  const FieldDescriptor* field = part.field;
  const bool repeated = field->is_repeated();
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return CheckCount(
          repeated ? reflection->GetRepeatedDouble(message, field, index)
                   : reflection->GetDouble(message, field),
          field);
    case FieldDescriptor::CPPTYPE_FLOAT:
      return CheckCount(
          repeated ? reflection->GetRepeatedFloat(message, field, index)
                   : reflection->GetFloat(message, field),
          field);
    case FieldDescriptor::CPPTYPE_MESSAGE: {
      std::optional<UsageFault> fault = CheckFields(
          repeated ? reflection->GetRepeatedMessage(message, field, index)
                   : reflection->GetMessage(message, field),
          *part.nested);
      if (fault) fault->path.insert(0, std::string(field->name()) + ".");
      return fault;
    }
    default:
      return std::nullopt;
  }
}

std::optional<UsageFault> CheckFields(const Message& message,
                                      const Plan& plan) {
  const Reflection* reflection = message.GetReflection();
  for (const Plan::Field& part : plan.fields) {
    int size = 1;
    if (part.field->is_repeated()) {
      size = reflection->FieldSize(message, part.field);
    } else if (part.field->has_presence() &&
               !reflection->HasField(message, part.field)) {
      if (part.required) {
        return UsageFault{v1::RECORD_ERROR_REASON_FIELD_MISSING,
                          std::string(part.field->name()),
                          "expected a value, found none: it is required"};
      }
      size = 0;
    }
    for (int i = 0; i < size; ++i) {
      std::optional<UsageFault> fault = CheckValue(message, part, i);
      if (fault) return fault;
    }
  }
  return std::nullopt;
}

bool IsCount(bool is_set, double count) {
  return is_set && count >= 0 && count <= kMaxTokenCount;
}

// For the usage messages that have these fields, all of them required.
template <typename Usage>
bool IsPlainImagesUsage(const Usage& usage) {
  const auto& details = usage.input_tokens_details();
  return IsCount(usage.has_total_tokens(), usage.total_tokens()) &&
         IsCount(usage.has_input_tokens(), usage.input_tokens()) &&
         IsCount(usage.has_output_tokens(), usage.output_tokens()) &&
         IsCount(details.has_text_tokens(), details.text_tokens()) &&
         IsCount(details.has_image_tokens(), details.image_tokens());
}

}  // namespace

bool HasPlainUsage(const v1::UsageRecord& record) {
  switch (record.usage_case()) {
    case v1::UsageRecord::kImagesEdits:
      return IsPlainImagesUsage(record.images_edits());
    case v1::UsageRecord::kImagesVariations:
      return IsPlainImagesUsage(record.images_variations());
    case v1::UsageRecord::USAGE_NOT_SET:
      break;
  }
  return false;
}

std::optional<UsageFault> CheckUsage(const Message& usage) {
  return CheckFields(usage, PlanOf(usage));
}

}  // namespace tokenusage
