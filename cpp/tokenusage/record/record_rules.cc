// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/record/record_rules.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

#include "google/protobuf/message.h"
#include "google/protobuf/timestamp.pb.h"
#include "google/protobuf/unknown_field_set.h"
#include "tokenusage/base/excerpt.h"
#include "tokenusage/base/proto_time.h"
#include "tokenusage/base/utf8.h"
#include "tokenusage/record/record_counts.h"
#include "tokenusage/record/usage_member.h"

namespace tokenusage {
namespace {

// The field numbers that usage_record.proto reserves for kinds of corrections.
constexpr int kFirstCorrection = 12;
constexpr int kLastCorrection = 15;

// A broken rule of a record.
struct Violation {
  v1::RecordErrorReason reason;
  std::string field;  // its path from the record on; may be empty
  std::string message;
};

Violation MissingField(std::string_view field) {
  return {v1::RECORD_ERROR_REASON_FIELD_MISSING, std::string(field),
          "expected a value, found none: it is required"};
}

constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }
constexpr bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
constexpr bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }

constexpr bool IsRecordIdChar(char c) {
  return IsDigit(c) || IsLower(c) || IsUpper(c) || c == '.' || c == '_' ||
         c == ':' || c == '~' || c == '-';
}

// Makes a set of chars, in which a look-up is one load.
template <typename IsMember>
constexpr std::array<bool, 256> TableOf(IsMember is_member) {
  std::array<bool, 256> table{};
  for (std::size_t i = 0; i < table.size(); ++i) {
    table[i] = is_member(static_cast<char>(i));
  }
  return table;
}

constexpr std::array<bool, 256> kRecordIdChars = TableOf(IsRecordIdChar);

// Has no branch per char, since nearly all texts pass.
bool AllIn(const std::array<bool, 256>& set, std::string_view text) {
  bool all = true;
  for (const char c : text) all &= set[static_cast<unsigned char>(c)];
  return all;
}

// Returns whether any of eight bytes is not from 0x20 to 0x7E. Such a byte may
// carry into the next one, which does not change the answer.
bool HasUnprintable(std::uint64_t bytes) {
  constexpr std::uint64_t kEach = 0x0101010101010101;
  const std::uint64_t below_space = bytes - kEach * 0x20;
  const std::uint64_t above_tilde = bytes + kEach;
  return ((below_space | above_tilde | bytes) & (kEach * 0x80)) != 0;
}

template <typename Word>
Word Load(const char* p) {
  Word word;
  std::memcpy(&word, p, sizeof(word));
  return word;
}

// Loads the last bytes as a word that may overlap the one before: loads of
// other sizes take longer.
bool IsPrintableAscii(std::string_view text) {
  const char* const end = text.data() + text.size();
  if (text.size() < 4) {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return c >= 0x20 && c < 0x7F; });
  }
  if (text.size() < 8) {
    return !HasUnprintable(Load<std::uint32_t>(text.data()) |
                           std::uint64_t{Load<std::uint32_t>(end - 4)} << 32);
  }
  for (const char* p = text.data(); p < end - 8; p += 8) {
    if (HasUnprintable(Load<std::uint64_t>(p))) return false;
  }
  return !HasUnprintable(Load<std::uint64_t>(end - 8));
}

// Returns whether the first char passes `is_first` and all are of [a-z0-9._-].
template <typename IsFirst>
bool IsName(std::string_view name, int max_bytes, IsFirst is_first) {
  if (name.empty() || name.size() > static_cast<std::size_t>(max_bytes) ||
      !is_first(name[0])) {
    return false;
  }
  return std::all_of(name.begin(), name.end(), [](char c) {
    return IsDigit(c) || IsLower(c) || c == '.' || c == '_' || c == '-';
  });
}

// Says what was found instead of a valid text, with its size if that is too
// large.
std::string Found(std::string_view text, int max_bytes) {
  std::string found = ", found \"" + Excerpt(text) + "\"";
  if (text.size() > static_cast<std::size_t>(max_bytes)) {
    found += " of " + std::to_string(text.size()) + " bytes";
  }
  return found;
}

bool IsRecordId(std::string_view text) {
  return !text.empty() && text.size() <= kMaxRecordIdBytes &&
         AllIn(kRecordIdChars, text);
}

std::string RecordIdExpected(std::string_view record_id) {
  return "expected 1 to 255 characters of [A-Za-z0-9._:~-]" +
         Found(record_id, kMaxRecordIdBytes);
}

Violation Invalid(std::string_view field, std::string message) {
  return {v1::RECORD_ERROR_REASON_FIELD_INVALID, std::string(field),
          std::move(message)};
}

bool IsControl(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}

bool IsText(std::string_view text, int max_bytes) {
  if (text.size() > static_cast<std::size_t>(max_bytes)) return false;
  if (IsPrintableAscii(text)) return true;
  return std::none_of(text.begin(), text.end(), IsControl) && IsUtf8(text);
}

std::optional<Violation> CheckText(std::string_view field,
                                   std::string_view text, int max_bytes) {
  if (IsText(text, max_bytes)) return std::nullopt;
  return Invalid(field, "expected at most " + std::to_string(max_bytes) +
                            " bytes of UTF-8 without control characters" +
                            Found(text, max_bytes));
}

std::optional<Violation> CheckId(const v1::UsageRecord& record) {
  if (IsRecordId(record.record_id())) return std::nullopt;
  if (record.record_id().empty()) return MissingField("record_id");
  return Invalid("record_id", RecordIdExpected(record.record_id()));
}

std::optional<Violation> CheckEventTime(const v1::UsageRecord& record) {
  constexpr std::int64_t kMaxSeconds =
      std::numeric_limits<std::int64_t>::max() / kNanosPerSecond - 1;
  if (!record.has_event_time()) return MissingField("event_time");
  const ::google::protobuf::Timestamp& time = record.event_time();
  if (!HasValidNanos(time)) {
    return Invalid("event_time", "expected nanos from 0 to 999999999, found " +
                                     std::to_string(time.nanos()));
  }
  if (time.seconds() >= kMinTimeSeconds && time.seconds() <= kMaxSeconds) {
    return std::nullopt;
  }
  return Violation{
      v1::RECORD_ERROR_REASON_TIME_OUT_OF_RANGE, "event_time",
      "expected a time from 2000-01-01T00:00:00Z to 5 minutes after "
      "the server's clock, found " +
          std::to_string(time.seconds()) + " seconds since 1970"};
}

std::optional<Violation> CheckLabels(const v1::UsageRecord& record) {
  const auto& labels = record.labels();
  if (labels.size() > kMaxLabels) {
    return Invalid("labels", "expected at most " + std::to_string(kMaxLabels) +
                                 " labels, found " +
                                 std::to_string(labels.size()));
  }
  // A map has no order: of several bad labels the one with the least key is
  // reported, so that the answer is always the same.
  const auto* first = static_cast<decltype(&*labels.begin())>(nullptr);
  for (const auto& label : labels) {
    const bool is_good =
        IsLabelKey(label.first) && IsText(label.second, kMaxLabelValueBytes);
    if (is_good || (first != nullptr && first->first < label.first)) continue;
    first = &label;
  }
  if (first == nullptr) return std::nullopt;
  if (!IsLabelKey(first->first)) {
    return Invalid("labels", "expected keys of [a-z][a-z0-9_.-]{0,62}" +
                                 Found(first->first, kMaxLabelKeyBytes));
  }
  return CheckText("labels." + first->first, first->second,
                   kMaxLabelValueBytes);
}

// Returns the number of the first unknown field from `first` to `last`, or 0.
int UnknownFieldIn(const v1::UsageRecord& record, int first, int last) {
  // Looking up the Reflection takes longer than asking it.
  static const auto& reflection =
      *v1::UsageRecord::default_instance().GetReflection();
  const ::google::protobuf::UnknownFieldSet& fields =
      reflection.GetUnknownFields(record);
  for (int i = 0; i < fields.field_count(); ++i) {
    const int number = fields.field(i).number();
    if (number >= first && number <= last) return number;
  }
  return 0;
}

std::optional<Violation> CheckNoCorrection(const v1::UsageRecord& record) {
  const int number = UnknownFieldIn(record, kFirstCorrection, kLastCorrection);
  if (number == 0) return std::nullopt;
  return Violation{
      v1::RECORD_ERROR_REASON_CORRECTION_UNSUPPORTED, "",
      "expected no correction of a newer kind, found field number " +
          std::to_string(number) +
          ": this server does not know it; keep the record"};
}

std::optional<Violation> CheckCorrects(const v1::UsageRecord& record) {
  if (!record.has_corrects()) return std::nullopt;
  const std::string& corrects = record.corrects();
  if (!IsRecordId(corrects)) {
    return Invalid("corrects", RecordIdExpected(corrects));
  }
  if (corrects != record.record_id()) return std::nullopt;
  return Invalid("corrects", "expected another record's id, found this one's");
}

std::optional<Violation> CheckUsage(const v1::UsageRecord& record,
                                    const UsageCounts& counts) {
  if (const int number =
          UnknownFieldIn(record, kFirstUsageMember, kLastUsageMember)) {
    return Violation{v1::RECORD_ERROR_REASON_USAGE_TYPE_UNSUPPORTED, "usage",
                     "expected a usage type of this server, found field "
                     "number " +
                         std::to_string(number) + ": keep the record"};
  }
  if (record.usage_case() == v1::UsageRecord::USAGE_NOT_SET) {
    if (IsVoid(record)) return std::nullopt;
    return MissingField("usage");
  }
  if (record.has_usage_unknown() &&
      record.usage_unknown().reason() == v1::UNKNOWN_USAGE_REASON_UNSPECIFIED) {
    return MissingField("usage_unknown.reason");
  }
  const UsageMember& member = UsageMember::Of(record);
  std::optional<UsageViolation> violation = member.Find(record, counts);
  if (!violation) return std::nullopt;
  return Violation{
      violation->is_missing ? v1::RECORD_ERROR_REASON_FIELD_MISSING
                            : v1::RECORD_ERROR_REASON_COUNT_OUT_OF_RANGE,
      member.name() + '.' + violation->field, std::move(violation->message)};
}

std::optional<Violation> CheckUsageJson(const v1::UsageRecord& record) {
  if (record.usage_json().size() <= kMaxUsageJsonBytes) return std::nullopt;
  return Invalid("usage_json", "expected at most " +
                                   std::to_string(kMaxUsageJsonBytes) +
                                   " bytes, found " +
                                   std::to_string(record.usage_json().size()));
}

std::optional<Violation> CheckOperation(const v1::UsageRecord& record) {
  if (record.operation().empty()) return MissingField("operation");
  return CheckText("operation", record.operation(), kMaxNameBytes);
}

std::optional<Violation> CheckProvider(const v1::UsageRecord& record) {
  return CheckText("provider", record.provider(), kMaxNameBytes);
}

std::optional<Violation> CheckModel(const v1::UsageRecord& record) {
  return CheckText("model", record.model(), kMaxNameBytes);
}

// Returns the first violation. A correction of a newer kind may have other
// rules for the other fields, so it comes first: its reporter must be told to
// keep the record.
std::optional<Violation> FindViolation(const v1::UsageRecord& record,
                                       const UsageCounts& counts) {
  for (const auto rule : {&CheckNoCorrection, &CheckId, &CheckEventTime,
                          &CheckOperation, &CheckProvider, &CheckModel,
                          &CheckLabels, &CheckUsageJson, &CheckCorrects}) {
    if (std::optional<Violation> violation = rule(record)) return violation;
  }
  return CheckUsage(record, counts);
}

}  // namespace

std::optional<v1::RecordError> CheckRecord(const v1::UsageRecord& record,
                                           const UsageCounts& counts) {
  std::optional<Violation> violation = FindViolation(record, counts);
  if (!violation) return std::nullopt;
  v1::RecordError error;
  if (IsRecordId(record.record_id())) error.set_record_id(record.record_id());
  error.set_reason(violation->reason);
  error.set_field(std::move(violation->field));
  error.set_message(std::move(violation->message));
  return error;
}

absl::Status CheckProject(std::string_view project) {
  if (IsName(project, kMaxProjectBytes,
             [](char c) { return IsDigit(c) || IsLower(c); })) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      "project: expected [a-z0-9][a-z0-9._-]{0,62}" +
      Found(project, kMaxProjectBytes));
}

absl::Status CheckRecordId(std::string_view record_id) {
  if (IsRecordId(record_id)) return absl::OkStatus();
  return absl::InvalidArgumentError("record_id: " +
                                    RecordIdExpected(record_id));
}

bool IsLabelKey(std::string_view key) {
  return IsName(key, kMaxLabelKeyBytes, IsLower);
}

}  // namespace tokenusage
