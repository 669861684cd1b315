// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/extract/collector.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/extract/merge.h"
#include "tokenusage/json/json.h"
#include "tokenusage/record/record_counts.h"
#include "tokenusage/record/record_rules.h"
#include "tokenusage/usage/anthropic.h"
#include "tokenusage/usage/openrouter.h"
#include "tokenusage/usage/usage_rules.h"

namespace tokenusage::extract_internal {
namespace {

using ::google::protobuf::Descriptor;
using ::google::protobuf::Message;

// The longest body whose usage is read without looking for its name first. Most
// bodies have usage, but the error of one without usage costs a copy of it.
constexpr std::size_t kMaxUnprobedBytes = std::size_t{16} << 20;

constexpr std::string_view kDone = "[DONE]";

constexpr char kNoCount[] = "the usage states no count";

// Returns whether the error is not in the object at the path, but on the way to
// it.
bool IsOnTheWay(std::string_view path, const JsonError& error) {
  const std::string_view found = error.field_path;
  return found.empty() ||
         (path.substr(0, found.size()) == found &&
          (path.size() == found.size() || path[found.size()] == '.'));
}

// Returns whether the error is that there is no object at the path.
bool IsNothingAt(std::string_view path, const JsonError& error) {
  return !error.field_path.empty() && IsOnTheWay(path, error) &&
         (error.kind == JsonError::Kind::kMissingField ||
          error.kind == JsonError::Kind::kNullValue);
}

// Returns whether the error is that the path leads through something that is
// not an object.
bool IsOtherwiseUsed(std::string_view path, const absl::Status& status) {
  const std::optional<JsonError> error = GetJsonError(status);
  return error && error->kind == JsonError::Kind::kWrongType &&
         IsOnTheWay(path, *error) && error->field_path != path;
}

std::string JoinPath(std::string_view path, std::string_view field) {
  return absl::StrCat(std::string(path), path.empty() ? "" : ".",
                      std::string(field));
}

// Returns the rules of a message that a record can have.
const UsageRules& RulesOf(const Descriptor* type) {
  static const auto* const rules = [] {
    auto* all = new std::map<const Descriptor*, UsageRules>;
    const auto* usage = v1::UsageRecord::descriptor()->FindOneofByName("usage");
    for (int i = 0; i < usage->field_count(); ++i) {
      const Descriptor* message = usage->field(i)->message_type();
      all->try_emplace(message, message);
    }
    return all;
  }();
  return rules->at(type);
}

// Returns the path of a field as JSON spells it.
std::string WirePath(const Descriptor* type, const std::string& path) {
  std::string wire_path;
  for (const std::string& name :
       std::vector<std::string>(absl::StrSplit(path, '.'))) {
    const auto* field = type->FindFieldByName(name);
    wire_path = JoinPath(wire_path, std::string(field->json_name()));
    type = field->message_type();
  }
  return wire_path;
}

// Refuses counts that are out of range.
absl::Status CheckRange(std::string_view path, const Message& usage) {
  const auto violation = RulesOf(usage.GetDescriptor()).Find(usage);
  if (!violation || violation->is_missing) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      JoinPath(path, WirePath(usage.GetDescriptor(), violation->field)), ": ",
      violation->message));
}

// The outcome of reading the usage at a path.
struct Reading {
  bool is_read = false;  // a usage
  bool is_null = false;
  std::string missing;  // the error of a usage that lacks a member
};

absl::StatusOr<Reading> ReadUsage(std::string_view json, std::string_view path,
                                  Message* usage) {
  Reading reading;
  const absl::Status status = ParseJsonAt(json, path, usage);
  reading.is_read = status.ok();
  if (status.ok()) {
    TOKENUSAGE_RETURN_IF_ERROR(CheckRange(path, *usage));
    return reading;
  }
  std::optional<JsonError> error = GetJsonError(status);
  if (!error) return status;
  if (IsNothingAt(path, *error)) {
    reading.is_null = error->kind == JsonError::Kind::kNullValue;
    return reading;
  }
  if (IsOnTheWay(path, *error)) return status;
  error->field_path = JoinPath(path, error->field_path);
  const absl::Status named = JsonErrorStatus(*error);
  if (error->kind != JsonError::Kind::kMissingField &&
      error->kind != JsonError::Kind::kNullValue) {
    return named;
  }
  reading.missing = std::string(named.message());
  return reading;
}

const std::string& IdOf(const internal::ResponseHead& head) {
  if (head.has_id()) return head.id();
  return head.has_response_id() ? head.response_id() : head.item_id();
}

// Completes `further`, the record of another model that worked on the response
// of `record`.
v1::UsageRecord FurtherRecord(const v1::UsageRecord& record,
                              const std::string& suffix,
                              v1::UsageRecord further) {
  further.set_provider(record.provider());
  if (further.operation().empty()) further.set_operation(record.operation());
  const std::string id = absl::StrCat(record.record_id(), ":", suffix);
  if (!record.record_id().empty() && CheckRecordId(id).ok()) {
    further.set_record_id(id);
  }
  return further;
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

bool Collector::IsIdentified() const {
  return layout_.is_anonymous ||
         (!record_.model().empty() && !record_.record_id().empty());
}

// Reads what the object at the path says about the response, if there is one.
absl::Status Collector::TakeHead(std::string_view json, std::string_view path,
                                 Head* head) {
  const absl::Status status = ParseJsonAt(json, path, head);
  if (!status.ok()) {
    const std::optional<JsonError> error = GetJsonError(status);
    return error && IsNothingAt(path, *error) ? absl::OkStatus() : status;
  }
  const std::string& model =
      head->has_model() ? head->model() : head->model_version();
  if (record_.record_id().empty() && CheckRecordId(IdOf(*head)).ok()) {
    record_.set_record_id(IdOf(*head));
  }
  if (record_.model().empty()) record_.set_model(model);
  return status;
}

absl::StatusOr<bool> Collector::TakeUsageAt(std::string_view json,
                                            const Place& place) {
  const absl::StatusOr<Reading> reading =
      ReadUsage(json, place.usage, later_.get());
  TOKENUSAGE_RETURN_IF_ERROR(reading.status());
  saw_null_ = saw_null_ || reading->is_null;
  if (!reading->missing.empty()) incomplete_ = reading->missing;
  if (!reading->is_read) return false;
  incomplete_.clear();
  Message* const usage =
      record_.GetReflection()->MutableMessage(&record_, dialect_.usage_field);
  MergeUsage(layout_.merge, later_.get(), usage);
  TOKENUSAGE_RETURN_IF_ERROR(CheckRange(place.usage, *usage));
  has_usage_ = true;
  return true;
}

absl::StatusOr<const Place*> Collector::TakeUsage(
    std::string_view json, const std::vector<Place>& places, bool is_body) {
  if (layout_.needs_done) {
    Head head;
    TOKENUSAGE_RETURN_IF_ERROR(TakeHead(json, "", &head));
    has_ended_ = head.done() || !head.has_done();
    if (!head.done()) return nullptr;
  }
  if (later_ == nullptr) {
    later_.reset(::google::protobuf::MessageFactory::generated_factory()
                     ->GetPrototype(dialect_.usage_field->message_type())
                     ->New());
  }
  const Place* taken = nullptr;
  for (const Place& place : places) {
    const bool is_first = &place == &places.front();
    const bool is_likely =
        is_body && is_first && json.size() <= kMaxUnprobedBytes;
    // Streams repeat null in each event; it is enough to read one.
    if (!is_likely && !place.MayBeIn(json, /*skips_null=*/saw_null_)) continue;
    if (taken != nullptr) {
      TOKENUSAGE_RETURN_IF_ERROR(CheckSame(json, place, *taken));
      continue;
    }
    const absl::StatusOr<bool> found = TakeUsageAt(json, place);
    if (!is_first && IsOtherwiseUsed(place.usage, found.status())) continue;
    TOKENUSAGE_RETURN_IF_ERROR(found.status());
    if (!*found) continue;
    TOKENUSAGE_RETURN_IF_ERROR(TakeToolUsage(json, place));
    if (is_body || layout_.merge != Merge::kLast) return &place;
    taken = &place;
  }
  return taken;
}

absl::Status Collector::CheckSame(std::string_view json, const Place& place,
                                  const Place& taken) const {
  v1::UsageRecord again;
  TOKENUSAGE_ASSIGN_OR_RETURN(const Reading reading,
                              ReadUsage(json, place.usage,
                                        again.GetReflection()->MutableMessage(
                                            &again, dialect_.usage_field)));
  if (!reading.is_read) return absl::OkStatus();
  const UsageCounts counts = CountRecord(record_);
  absl::Status status;
  CountRecord(again).ForEach([&](v1::UsageMeasure measure, Amount amount) {
    if (!counts.Has(measure) || counts[measure] == amount) return;
    const auto* const field =
        v1::TokenUsage::descriptor()->FindFieldByNumber(measure);
    status = absl::InvalidArgumentError(
        absl::StrCat(place.usage, ": expected the ", std::string(field->name()),
                     " of ", taken.usage, ", ", counts[measure].ToDecimal(),
                     ", found ", amount.ToDecimal()));
  });
  return status;
}

// The tools are other models, whose tokens have other prices.
absl::Status Collector::TakeToolUsage(std::string_view json,
                                      const Place& place) {
  static const auto* const name = new NameProbe("tool_usage");
  if (layout_.tool_usage_field.empty() || !name->MayBeIn(json)) {
    return absl::OkStatus();
  }
  v1::UsageRecord record;
  Message* const usage = record.GetReflection()->MutableMessage(
      &record,
      v1::UsageRecord::descriptor()->FindFieldByName(layout_.tool_usage_field));
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const Reading reading,
      ReadUsage(json, JoinPath(place.head, name->name()), usage));
  if (reading.is_read) {
    record.set_operation(
        absl::StrCat(std::string(dialect_.operation), ".tool_usage"));
    tool_record_ = std::move(record);
  }
  return absl::OkStatus();
}

absl::Status Collector::ReadBody(std::string_view json) {
  has_ended_ = true;
  TOKENUSAGE_ASSIGN_OR_RETURN(const Place* place,
                              TakeUsage(json, layout_.body, /*is_body=*/true));
  Head head;
  if (place == nullptr) {
    // TakeUsage may have stopped before the end of the body: checks all of it.
    TOKENUSAGE_RETURN_IF_ERROR(ParseJson(json, &head));
    place = &layout_.body.front();
  }
  return IsIdentified() ? absl::OkStatus() : TakeHead(json, place->head, &head);
}

absl::Status Collector::ReadEvent(std::string_view json) {
  if (json == kDone) {
    has_ended_ = true;
    return absl::OkStatus();
  }
  const bool had_ended = has_ended_ && layout_.merge != Merge::kEach;
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const Place* place, TakeUsage(json, layout_.stream, /*is_body=*/false));
  if (place != nullptr && had_ended) {
    return absl::InvalidArgumentError(absl::StrCat(
        place->usage, ": expected none after the stream's end, found usage"));
  }
  if (place != nullptr) {
    TOKENUSAGE_RETURN_IF_ERROR(FinishEvent(json, *place));
  } else if (NeedsHead()) {
    --head_events_;
    Head head;
    for (const Place& other : layout_.stream) {
      TOKENUSAGE_RETURN_IF_ERROR(TakeHead(json, other.head, &head));
    }
  }
  return CheckEnd(json);
}

std::size_t Collector::FindEventToRead(std::string_view bytes) const {
  const std::vector<NameProbe>& marks = layout_.marks;
  if (marks.empty() || NeedsHead()) return 0;
  std::size_t first = bytes.size();
  for (const NameProbe& mark : marks) {
    first = std::min(first, mark.Find(bytes.substr(0, first), saw_null_));
  }
  first = std::min(first, FindEscapedLetter(bytes.substr(0, first)));
  return std::min(first, FindPart(bytes.substr(0, first), kDone));
}

// A stream that has stated all of its usage does not continue with another id.
absl::Status Collector::CheckId(const Place& place, const Head& head) const {
  if (!is_final_ || IdOf(head) == record_.record_id() ||
      !CheckRecordId(IdOf(head)).ok()) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat(JoinPath(place.head, "id"), ": expected the stream's, \"",
                   record_.record_id(), "\", found that of another stream, \"",
                   IdOf(head), "\""));
}

absl::Status Collector::FinishEvent(std::string_view json, const Place& place) {
  const bool is_each = layout_.merge == Merge::kEach;
  if (is_each) {  // Earlier events may be of other responses.
    record_.clear_record_id();
    record_.clear_model();
  }
  Head head;
  if (!IsIdentified() || layout_.final == Final::kChoices ||
      (is_final_ && !layout_.is_anonymous)) {
    TOKENUSAGE_RETURN_IF_ERROR(TakeHead(json, place.head, &head));
    if (!is_each) TOKENUSAGE_RETURN_IF_ERROR(CheckId(place, head));
  }
  is_final_ =
      layout_.final == Final::kSeen ||
      (layout_.final == Final::kChoices && AllFinished(head.choices()) &&
       AllFinished(head.candidates()) && AllFinished(head.outputs()));
  if (is_each && HasCounts()) FinishRecord();
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

bool Collector::HasCounts() {
  if (has_usage_ && CountRecord(record_).measures().empty()) {
    // If the counts are members of the response itself, a response without them
    // has no usage. Otherwise it has a usage object that is incomplete.
    if (!layout_.body.front().usage.empty()) incomplete_ = kNoCount;
    record_.clear_usage();
    has_usage_ = false;
  }
  return has_usage_;
}

void Collector::FinishRecord() {
  record_.set_provider(std::string(dialect_.provider));
  record_.set_operation(std::string(dialect_.operation));
  records_.push_back(std::move(record_));
  record_.Clear();
  const v1::UsageRecord record = records_.back();
  const auto add = [&](const std::string& suffix, v1::UsageRecord further) {
    if (CountRecord(further).measures().empty()) return;
    records_.push_back(FurtherRecord(record, suffix, std::move(further)));
  };
  if (tool_record_) add("tool_usage", *std::exchange(tool_record_, {}));
  const auto add_other_passes = [&](const auto& usage) {
    int number = 0;
    for (const auto& pass : FindOtherPasses(usage)) {
      v1::UsageRecord further;
      further.set_model(pass.model.empty() ? record.model() : pass.model);
      further.GetReflection()
          ->MutableMessage(&further, dialect_.usage_field)
          ->CopyFrom(pass.usage);
      add(absl::StrCat(pass.type, ".", ++number), std::move(further));
    }
  };
  add_other_passes(record.anthropic_messages());
  add_other_passes(record.openrouter_messages());
  has_usage_ = false;
  head_events_ = 0;  // Later responses state their id beside their usage.
}

v1::UnknownUsageReason Collector::ReasonOfNoUsage() const {
  if (!incomplete_.empty()) return v1::UNKNOWN_USAGE_REASON_INCOMPLETE;
  if (!has_ended_) return v1::UNKNOWN_USAGE_REASON_ABORTED;
  return saw_null_ ? v1::UNKNOWN_USAGE_REASON_NULL
                   : v1::UNKNOWN_USAGE_REASON_ABSENT;
}

Extraction Collector::Conclude() {
  Extraction extraction;
  const bool has_counts = HasCounts();
  extraction.is_complete =
      (has_ended_ || is_final_) && (!has_counts || incomplete_.empty());
  extraction.detail = incomplete_;
  if (!has_counts && records_.empty()) {
    extraction.unknown_reason = ReasonOfNoUsage();
    record_.mutable_usage_unknown()->set_reason(extraction.unknown_reason);
    has_usage_ = true;
  }
  if (has_usage_) FinishRecord();
  extraction.records = std::move(records_);
  return extraction;
}

}  // namespace tokenusage::extract_internal
