// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/record/record_rules.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "google/protobuf/timestamp.pb.h"
#include "google/protobuf/unknown_field_set.h"
#include "tokenusage/base/excerpt.h"
#include "tokenusage/base/utf8.h"
#include "tokenusage/record/usage_check.h"

namespace tokenusage {
namespace {

constexpr std::int64_t kNanosPerSecond = 1'000'000'000;

// The numbers that usage_record.proto sets apart.
constexpr int kFirstCorrection = 10;
constexpr int kLastCorrection = 15;
constexpr int kFirstUsage = 16;
constexpr int kLastUsage = 999;

struct Fault {
  v1::RecordErrorReason reason;
  std::string field;
  std::string message;
};
using MaybeFault = std::optional<Fault>;

constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }
constexpr bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
constexpr bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }

constexpr bool IsRecordIdChar(char c) {
  return IsDigit(c) || IsLower(c) || IsUpper(c) || c == '.' || c == '_' ||
         c == ':' || c == '~' || c == '-';
}

// A set of chars, so that a look-up is one load.
template <typename IsMember>
constexpr std::array<bool, 256> TableOf(IsMember is_member) {
  std::array<bool, 256> table{};
  for (std::size_t i = 0; i < table.size(); ++i) {
    table[i] = is_member(static_cast<char>(i));
  }
  return table;
}

constexpr std::array<bool, 256> kRecordIdChars = TableOf(IsRecordIdChar);

// Without a branch per char: nearly all texts pass.
bool AllIn(const std::array<bool, 256>& set, std::string_view text) {
  bool all = true;
  for (const char c : text) all &= set[static_cast<unsigned char>(c)];
  return all;
}

// Whether one of eight bytes is not from 0x20 to 0x7E. May err where an earlier
// one is not; the answer is the same.
bool HasUnprintable(std::uint64_t bytes) {
  constexpr std::uint64_t kEach = 0x0101010101010101;
  const std::uint64_t below_space = bytes - kEach * 0x20;
  const std::uint64_t above_tilde = bytes + kEach;
  return ((below_space | above_tilde | bytes) & (kEach * 0x80)) != 0;
}

bool IsPrintableAscii(std::string_view text) {
  std::uint64_t word;
  while (text.size() >= sizeof(word)) {
    std::memcpy(&word, text.data(), sizeof(word));
    if (HasUnprintable(word)) return false;
    text.remove_prefix(sizeof(word));
  }
  word = 0x2020202020202020;
  std::memcpy(&word, text.data(), text.size());
  return !HasUnprintable(word);
}

// Whether the first char passes `is_first` and the others that or "._-".
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

// What was found where a text breaks its rule. Says the size where that alone
// is too much.
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

// The rule that `record_id` breaks; empty where it breaks none.
std::string RecordIdFault(std::string_view record_id) {
  if (IsRecordId(record_id)) return "";
  return "expected 1 to 255 characters of [A-Za-z0-9._:~-]" +
         Found(record_id, kMaxRecordIdBytes);
}

MaybeFault Missing(std::string field) {
  return Fault{v1::RECORD_ERROR_REASON_FIELD_MISSING, std::move(field),
               "expected a value, found none: it is required"};
}

MaybeFault Invalid(std::string field, std::string message) {
  return Fault{v1::RECORD_ERROR_REASON_FIELD_INVALID, std::move(field),
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

MaybeFault CheckText(std::string field, std::string_view text, int max_bytes) {
  if (IsText(text, max_bytes)) return std::nullopt;
  return Invalid(std::move(field),
                 "expected at most " + std::to_string(max_bytes) +
                     " bytes of UTF-8 without control characters" +
                     Found(text, max_bytes));
}

MaybeFault CheckId(const v1::UsageRecord& record) {
  if (record.record_id().empty()) return Missing("record_id");
  std::string fault = RecordIdFault(record.record_id());
  if (fault.empty()) return std::nullopt;
  return Invalid("record_id", std::move(fault));
}

constexpr std::int64_t kMaxEventTimeSeconds =
    std::numeric_limits<std::int64_t>::max() / kNanosPerSecond - 1;

bool HasNanosInRange(const google::protobuf::Timestamp& time) {
  return time.nanos() >= 0 && time.nanos() < kNanosPerSecond;
}

bool HasSecondsInRange(const google::protobuf::Timestamp& time) {
  return time.seconds() >= kMinEventTimeSeconds &&
         time.seconds() <= kMaxEventTimeSeconds;
}

MaybeFault CheckEventTime(const v1::UsageRecord& record) {
  if (!record.has_event_time()) return Missing("event_time");
  const google::protobuf::Timestamp& time = record.event_time();
  if (!HasNanosInRange(time)) {
    return Invalid("event_time", "expected nanos from 0 to 999999999, found " +
                                     std::to_string(time.nanos()));
  }
  if (HasSecondsInRange(time)) return std::nullopt;
  return Fault{v1::RECORD_ERROR_REASON_TIME_OUT_OF_RANGE, "event_time",
               "expected a time from 2000-01-01T00:00:00Z to 5 minutes after "
               "the server's clock, found " +
                   std::to_string(time.seconds()) + " seconds since 1970"};
}

bool HasOnlyGoodLabels(const v1::UsageRecord& record) {
  const auto& labels = record.labels();
  return labels.size() <= kMaxLabels &&
         std::all_of(labels.begin(), labels.end(), [](const auto& label) {
           return IsLabelKey(label.first) &&
                  IsText(label.second, kMaxLabelValueBytes);
         });
}

MaybeFault CheckLabels(const v1::UsageRecord& record) {
  const auto& labels = record.labels();
  if (labels.size() > kMaxLabels) {
    return Invalid("labels", "expected at most " + std::to_string(kMaxLabels) +
                                 " labels, found " +
                                 std::to_string(labels.size()));
  }
  // A map has no order; so that the first fault is always the same one, take
  // them by key.
  std::vector<std::pair<std::string_view, std::string_view>> sorted;
  for (const auto& [key, value] : labels) sorted.emplace_back(key, value);
  std::sort(sorted.begin(), sorted.end());
  for (const auto& [key, value] : sorted) {
    if (!IsLabelKey(key)) {
      return Invalid("labels", "expected keys of [a-z][a-z0-9_.-]{0,62}" +
                                   Found(key, kMaxLabelKeyBytes));
    }
    MaybeFault fault =
        CheckText("labels." + std::string(key), value, kMaxLabelValueBytes);
    if (fault) return fault;
  }
  return std::nullopt;
}

// The number of the first unknown field from `first` to `last`, else 0.
int UnknownFieldIn(const v1::UsageRecord& record, int first, int last) {
  const google::protobuf::UnknownFieldSet& fields =
      record.GetReflection()->GetUnknownFields(record);
  for (int i = 0; i < fields.field_count(); ++i) {
    const int number = fields.field(i).number();
    if (number >= first && number <= last) return number;
  }
  return 0;
}

// A correction may have other rules for the fields before it, so this comes
// first: its reporter must hear that the record is to be kept.
MaybeFault CheckNoCorrection(const v1::UsageRecord& record) {
  const int number = UnknownFieldIn(record, kFirstCorrection, kLastCorrection);
  if (number == 0) return std::nullopt;
  return Fault{v1::RECORD_ERROR_REASON_CORRECTION_UNSUPPORTED, "",
               "expected no correction, found field number " +
                   std::to_string(number) +
                   ": this server does not know it; keep the record"};
}

MaybeFault CheckUsageMember(const v1::UsageRecord& record) {
  const int number = UnknownFieldIn(record, kFirstUsage, kLastUsage);
  if (number != 0) {
    return Fault{v1::RECORD_ERROR_REASON_USAGE_TYPE_UNSUPPORTED, "usage",
                 "expected a usage type of this server, found field number " +
                     std::to_string(number) + ": keep the record"};
  }
  const google::protobuf::Reflection* reflection = record.GetReflection();
  const google::protobuf::FieldDescriptor* member =
      reflection->GetOneofFieldDescriptor(
          record, record.GetDescriptor()->FindOneofByName("usage"));
  if (member == nullptr) return Missing("usage");
  std::optional<UsageFault> fault =
      CheckUsage(reflection->GetMessage(record, member));
  if (!fault) return std::nullopt;
  return Fault{fault->reason, std::string(member->name()) + "." + fault->path,
               std::move(fault->message)};
}

MaybeFault FirstFault(const v1::UsageRecord& record) {
  if (MaybeFault fault = CheckNoCorrection(record)) return fault;
  if (MaybeFault fault = CheckId(record)) return fault;
  if (MaybeFault fault = CheckEventTime(record)) return fault;
  if (record.operation().empty()) return Missing("operation");
  if (MaybeFault fault =
          CheckText("operation", record.operation(), kMaxNameBytes)) {
    return fault;
  }
  if (MaybeFault fault =
          CheckText("provider", record.provider(), kMaxNameBytes)) {
    return fault;
  }
  if (MaybeFault fault = CheckText("model", record.model(), kMaxNameBytes)) {
    return fault;
  }
  if (MaybeFault fault = CheckLabels(record)) return fault;
  return CheckUsageMember(record);
}

// Whether the record keeps all rules, for the records that nearly all are: ones
// without unknown fields. Where it says no, FirstFault has to look.
bool IsPlainAndGood(const v1::UsageRecord& record) {
  return record.GetReflection()->GetUnknownFields(record).empty() &&
         IsRecordId(record.record_id()) && record.has_event_time() &&
         HasNanosInRange(record.event_time()) &&
         HasSecondsInRange(record.event_time()) &&
         !record.operation().empty() &&
         IsText(record.operation(), kMaxNameBytes) &&
         IsText(record.provider(), kMaxNameBytes) &&
         IsText(record.model(), kMaxNameBytes) && HasOnlyGoodLabels(record) &&
         HasPlainUsage(record);
}

}  // namespace

std::optional<v1::RecordError> CheckRecord(const v1::UsageRecord& record) {
  if (IsPlainAndGood(record)) return std::nullopt;
  MaybeFault fault = FirstFault(record);
  if (!fault) return std::nullopt;
  v1::RecordError error;
  if (IsRecordId(record.record_id())) error.set_record_id(record.record_id());
  error.set_reason(fault->reason);
  error.set_field(std::move(fault->field));
  error.set_message(std::move(fault->message));
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
  std::string fault = RecordIdFault(record_id);
  if (fault.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError("record_id: " + fault);
}

bool IsLabelKey(std::string_view key) {
  return IsName(key, kMaxLabelKeyBytes, IsLower);
}

}  // namespace tokenusage
