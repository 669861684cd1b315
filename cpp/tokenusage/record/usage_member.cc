// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/record/usage_member.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <vector>

#include "google/protobuf/message.h"
#include "tokenusage/record/record_counts.h"
#include "tokenusage/v1/options.pb.h"

namespace tokenusage {
namespace {

using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::Message;

bool IsNumber(const FieldDescriptor& field) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE ||
         field.cpp_type() == FieldDescriptor::CPPTYPE_INT64;
}

// Finds out what counting notices, by trying records of one kind of usage.
class CountingTrial {
 public:
  // `member` is one of the oneof `usage`.
  explicit CountingTrial(const FieldDescriptor* member) {
    AddFields({member});
    for (const Path& path : numbers_) SetNumber(path, 1, &complete_);
  }

  // Returns whether counting notices each number that is out of range, whether
  // the others are set or not.
  bool NoticesRange() const {
    for (const Path& path : numbers_) {
      for (v1::UsageRecord record : {complete_, v1::UsageRecord()}) {
        SetNumber(path, -1, &record);
        if (!CountRecord(record).out_of_range()) return false;
      }
    }
    return is_plain_;
  }

  // Returns whether counting notices each required field that is not set.
  bool NoticesAbsence() const {
    for (const Path& path : required_) {
      for (v1::UsageRecord record : {complete_, v1::UsageRecord()}) {
        Message* const message = MutableMessage(path, &record);
        message->GetReflection()->ClearField(message, path.back());
        if (!CountRecord(record).incomplete()) return false;
      }
    }
    return true;
  }

  // The fields that lead from a record to a field in it, which is the last.
  using Path = std::vector<const FieldDescriptor*>;

  // Returns the fields that are required.
  const std::vector<Path>& required() const { return required_; }

 private:
  void AddFields(const Path& path) {
    constexpr std::size_t kMaxDepth = 5;
    const auto& type = *path.back()->message_type();
    for (int i = 0; i < type.field_count(); ++i) {
      const FieldDescriptor& field = *type.field(i);
      Path field_path = path;
      field_path.push_back(&field);
      if (field.options().GetExtension(v1::required)) {
        required_.push_back(field_path);
      }
      if (field.message_type() == nullptr && !IsNumber(field)) continue;
      if (field.is_repeated() || path.size() == kMaxDepth) {
        is_plain_ = false;
      } else if (IsNumber(field)) {
        numbers_.push_back(field_path);
      } else {
        AddFields(field_path);
      }
    }
  }

  // Returns the message that holds the field.
  static Message* MutableMessage(const Path& path, v1::UsageRecord* record) {
    Message* message = record;
    for (std::size_t i = 0; i + 1 < path.size(); ++i) {
      message = message->GetReflection()->MutableMessage(message, path[i]);
    }
    return message;
  }

  static void SetNumber(const Path& path, int number, v1::UsageRecord* record) {
    Message* const message = MutableMessage(path, record);
    if (path.back()->cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE) {
      message->GetReflection()->SetDouble(message, path.back(), number);
    } else {
      message->GetReflection()->SetInt64(message, path.back(), number);
    }
  }

  std::vector<Path> numbers_;
  std::vector<Path> required_;
  bool is_plain_ = true;  // no number is in a repeated field, or too deep
  v1::UsageRecord complete_;
};

using Members =
    std::array<std::unique_ptr<const UsageMember>, kLastUsageMember + 1>;

Members AllMembers() {
  Members all;
  const auto& oneof = *v1::UsageRecord::descriptor()->FindOneofByName("usage");
  for (int i = 0; i < oneof.field_count(); ++i) {
    const FieldDescriptor* const field = oneof.field(i);
    all[static_cast<std::size_t>(field->number())] =
        std::make_unique<UsageMember>(field);
  }
  return all;
}

}  // namespace

UsageMember::UsageMember(const FieldDescriptor* field)
    : field_(field), rules_(field->message_type()) {
  const CountingTrial trial(field);
  for (const auto& path : trial.required()) {
    auto& steps = required_.emplace_back();
    for (const FieldDescriptor* step : path) {
      if (step == field) continue;
      const Message* const prototype =
          ::google::protobuf::MessageFactory::generated_factory()->GetPrototype(
              step->containing_type());
      steps.push_back({step, prototype->GetReflection()});
    }
  }
  notices_range_ = trial.NoticesRange();
  notices_absence_ = trial.NoticesAbsence();
}

const UsageMember& UsageMember::Of(const v1::UsageRecord& record) {
  static const auto* const all = new Members(AllMembers());
  return *(*all)[static_cast<std::size_t>(record.usage_case())];
}

// Returns whether the last field of the path is set, or cannot be because a
// message on the way is not set.
bool UsageMember::IsSetIfPossible(const Message& usage,
                                  const std::vector<Step>& path) {
  const Message* message = &usage;
  for (const Step& step : path) {
    if (!step.reflection->HasField(*message, step.field)) {
      return &step != &path.back();
    }
    if (&step == &path.back()) return true;
    message = &step.reflection->GetMessage(*message, step.field);
  }
  return true;
}

// The rules use Reflection, which takes several times longer than counting.
std::optional<UsageViolation> UsageMember::Find(
    const v1::UsageRecord& record, const UsageCounts& counts) const {
  static const auto& reflection =
      *v1::UsageRecord::default_instance().GetReflection();
  const bool is_in_range = notices_range_ && !counts.out_of_range();
  if (is_in_range && notices_absence_ && !counts.incomplete()) {
    return std::nullopt;
  }
  const Message& usage = reflection.GetMessage(record, field_);
  if (is_in_range && std::all_of(required_.begin(), required_.end(),
                                 [&usage](const auto& path) {
                                   return IsSetIfPossible(usage, path);
                                 })) {
    return std::nullopt;
  }
  return rules_.Find(usage);
}

}  // namespace tokenusage
