// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/extract/collector.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/extract/merge.h"
#include "tokenusage/json/json.h"
#include "tokenusage/record/record_counts.h"
#include "tokenusage/record/record_rules.h"
#include "tokenusage/usage/usage_rules.h"

namespace tokenusage::extract_internal {
namespace {

using google::protobuf::Message;

// Events from which the response's id and model are taken; later ones have them
// only beside usage.
constexpr int kMaxHeadEvents = 8;

// Returns whether the error is that there is no object at the path.
bool IsNothingAt(std::string_view path, const JsonError& error) {
  const std::string_view found = error.field_path;
  return (error.kind == JsonError::Kind::kMissingField ||
          error.kind == JsonError::Kind::kNullValue) &&
         !found.empty() && path.substr(0, found.size()) == found &&
         (path.size() == found.size() || path[found.size()] == '.');
}

std::string JoinPath(std::string_view path, std::string_view field) {
  return absl::StrCat(std::string(path), path.empty() ? "" : ".",
                      std::string(field));
}

const UsageRules& RulesOf(const google::protobuf::Descriptor* type) {
  static const auto* const rules = [] {
    auto* all = new std::map<const google::protobuf::Descriptor*, UsageRules>;
    for (const Dialect& dialect : Dialects()) {
      const auto* message = dialect.usage_field->message_type();
      all->try_emplace(message, message);
    }
    return all;
  }();
  return rules->at(type);
}

template <typename Answers>
bool AllFinished(const Answers& answers) {
  return std::all_of(answers.begin(), answers.end(), [](const auto& answer) {
    return !answer.finish_reason().empty();
  });
}

}  // namespace

Collector::Collector(const Dialect& dialect)
    : dialect_(dialect), layout_(*dialect.layout) {}

Message* Collector::MutableUsage() {
  return record_.GetReflection()->MutableMessage(&record_,
                                                 dialect_.usage_field);
}

absl::StatusOr<bool> Collector::ReadHead(std::string_view json,
                                         std::string_view path, Head* head) {
  const absl::Status status = ParseJsonAt(json, path, head);
  if (status.ok()) return true;
  const std::optional<JsonError> error = GetJsonError(status);
  if (error && IsNothingAt(path, *error)) return false;
  return status;
}

absl::StatusOr<bool> Collector::ReadUsage(std::string_view json,
                                          const Place& place) {
  if (later_ == nullptr) {
    later_.reset(google::protobuf::MessageFactory::generated_factory()
                     ->GetPrototype(dialect_.usage_field->message_type())
                     ->New());
  }
  const absl::Status status = ParseJsonAt(json, place.usage, later_.get());
  if (!status.ok()) {
    std::optional<JsonError> error = GetJsonError(status);
    if (!error) return status;
    const bool is_null = error->kind == JsonError::Kind::kNullValue;
    if (IsNothingAt(place.usage, *error)) {
      saw_null_ = saw_null_ || is_null;
      return false;
    }
    if (error->kind == JsonError::Kind::kSyntax) return status;
    error->field_path = JoinPath(place.usage, error->field_path);
    const absl::Status named = JsonErrorStatus(*error);
    if (!is_null && error->kind != JsonError::Kind::kMissingField) return named;
    incomplete_ = std::string(named.message());
    return false;
  }
  const auto violation = RulesOf(later_->GetDescriptor()).Find(*later_);
  if (!violation) return true;
  return absl::InvalidArgumentError(absl::StrCat(
      JoinPath(place.usage, violation->field), ": ", violation->message));
}

absl::StatusOr<const Place*> Collector::TakeUsage(
    std::string_view json, const std::vector<Place>& places) {
  for (const Place& place : places) {
    if (!place.MayBeIn(json)) continue;
    TOKENUSAGE_ASSIGN_OR_RETURN(const bool found, ReadUsage(json, place));
    if (!found) continue;
    MergeUsage(layout_.merge, later_.get(), MutableUsage());
    has_usage_ = true;
    return &place;
  }
  return nullptr;
}

bool Collector::IsIdentified() const {
  return layout_.is_anonymous ||
         (!record_.model().empty() && !record_.record_id().empty());
}

void Collector::TakeIdentity(const Head& head) {
  const std::string& id = head.has_id() ? head.id() : head.response_id();
  const std::string& model =
      head.has_model() ? head.model() : head.model_version();
  if (record_.record_id().empty() && CheckRecordId(id).ok()) {
    record_.set_record_id(id);
  }
  if (record_.model().empty()) record_.set_model(model);
}

absl::Status Collector::ReadBody(std::string_view json) {
  has_ended_ = true;
  TOKENUSAGE_ASSIGN_OR_RETURN(const Place* place,
                              TakeUsage(json, layout_.body));
  if (place != nullptr && IsIdentified()) return absl::OkStatus();
  Head head;
  TOKENUSAGE_RETURN_IF_ERROR(ParseJson(json, &head));
  TakeIdentity(head);
  return absl::OkStatus();
}

absl::Status Collector::ReadEvent(std::string_view json) {
  if (json == "[DONE]") {
    has_ended_ = true;
    return absl::OkStatus();
  }
  ++event_count_;
  TOKENUSAGE_ASSIGN_OR_RETURN(const Place* place,
                              TakeUsage(json, layout_.stream));
  if (place != nullptr) {
    Head head;
    if (!IsIdentified() || layout_.final == Final::kChoices) {
      TOKENUSAGE_RETURN_IF_ERROR(ReadHead(json, place->head, &head).status());
      TakeIdentity(head);
    }
    is_final_ = layout_.final == Final::kSeen ||
                (layout_.final == Final::kChoices &&
                 AllFinished(head.choices()) && AllFinished(head.candidates()));
    if (is_final_ && layout_.merge == Merge::kEach) FinishRecord();
  } else if (event_count_ <= kMaxHeadEvents && !IsIdentified()) {
    for (const Place& other : layout_.stream) {
      TOKENUSAGE_RETURN_IF_ERROR(ReadIdentity(json, other.head));
    }
  }
  return CheckEnd(json);
}

absl::Status Collector::ReadIdentity(std::string_view json,
                                     std::string_view path) {
  Head head;
  TOKENUSAGE_ASSIGN_OR_RETURN(const bool found, ReadHead(json, path, &head));
  if (found) TakeIdentity(head);
  return absl::OkStatus();
}

absl::Status Collector::CheckEnd(std::string_view json) {
  for (const NameProbe& end : layout_.end_types) {
    if (!end.MayBeIn(json)) continue;
    Head head;
    TOKENUSAGE_RETURN_IF_ERROR(ParseJson(json, &head));
    has_ended_ = has_ended_ || end.name() == head.type();
  }
  return absl::OkStatus();
}

void Collector::FinishRecord() {
  record_.set_provider(std::string(dialect_.provider));
  record_.set_operation(std::string(dialect_.operation));
  records_.push_back(std::move(record_));
  record_.Clear();
  has_usage_ = false;
}

v1::UnknownUsageReason Collector::ReasonOfNoUsage() const {
  if (!incomplete_.empty()) return v1::UNKNOWN_USAGE_REASON_INCOMPLETE;
  if (!has_ended_) return v1::UNKNOWN_USAGE_REASON_ABORTED;
  return saw_null_ ? v1::UNKNOWN_USAGE_REASON_NULL
                   : v1::UNKNOWN_USAGE_REASON_ABSENT;
}

Extraction Collector::Conclude() {
  Extraction extraction;
  extraction.is_complete = has_ended_ || is_final_;
  if (has_usage_ && CountRecord(record_).measures().empty()) {
    incomplete_ = "the usage states no count";
    has_usage_ = false;
  }
  if (!has_usage_ && records_.empty()) {
    extraction.unknown_reason = ReasonOfNoUsage();
    extraction.detail = incomplete_;
    record_.mutable_usage_unknown()->set_reason(extraction.unknown_reason);
    has_usage_ = true;
  }
  if (has_usage_) FinishRecord();
  extraction.records = std::move(records_);
  return extraction;
}

}  // namespace tokenusage::extract_internal
