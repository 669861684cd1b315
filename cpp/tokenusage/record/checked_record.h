// The only way into a store: a record that keeps every rule of
// tokenusage/v1/usage_record.proto that can be checked without a store.
//
//   v1::RecordError error;
//   std::optional<CheckedRecord> checked =
//       CheckRecord(std::move(record), receive_time, &error);
//   if (!checked) return Refuse(error);  // reason, field, message
//
// Stores take CheckedRecord and nothing else, so no count that is negative,
// infinite or not a number can reach a sum.

#ifndef TOKENUSAGE_RECORD_CHECKED_RECORD_H_
#define TOKENUSAGE_RECORD_CHECKED_RECORD_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "tokenusage/record/token_counts.h"
#include "tokenusage/v1/usage_record.pb.h"
#include "tokenusage/v1/usage_reporting_service.pb.h"

namespace tokenusage {

// Limits, from usage_record.proto. Sizes are in bytes.
inline constexpr int kMaxRecordIdBytes = 255;
inline constexpr int kMaxNameBytes = 128;  // operation, provider, model
inline constexpr int kMaxLabels = 16;
inline constexpr int kMaxLabelKeyBytes = 63;
inline constexpr int kMaxLabelValueBytes = 256;
inline constexpr int kMaxProjectBytes = 63;
inline constexpr absl::Duration kMaxEventTimeAhead = absl::Minutes(5);

// 2000-01-01T00:00:00Z, the earliest event_time, in seconds since 1970.
inline constexpr std::int64_t kMinEventTimeSeconds = 946684800;

// A record that passed CheckRecord, and what stores need of it. Movable.
class CheckedRecord {
 public:
  CheckedRecord(CheckedRecord&&) = default;
  CheckedRecord& operator=(CheckedRecord&&) = default;

  // The record, with receive_time set.
  const v1::UsageRecord& record() const { return record_; }

  // Its binary form, for storing. Unknown fields are included.
  const std::string& bytes() const { return bytes_; }

  // event_time in nanoseconds since 1970-01-01T00:00:00Z.
  std::int64_t event_time_nanos() const { return event_time_nanos_; }

  // Whether event_time is more than kMaxEventTimeAhead after receive_time.
  // Stores refuse such a record unless it is stored already.
  bool too_far_ahead() const { return too_far_ahead_; }

  const TokenCounts& counts() const { return counts_; }

 private:
  friend std::optional<CheckedRecord> CheckRecord(v1::UsageRecord record,
                                                  absl::Time receive_time,
                                                  v1::RecordError* error);
  CheckedRecord() = default;

  v1::UsageRecord record_;
  std::string bytes_;
  std::int64_t event_time_nanos_ = 0;
  bool too_far_ahead_ = false;
  TokenCounts counts_;
};

// Checks a record as it was reported, and sets its receive_time.
//
// On a broken rule returns nothing and fills `error`, all but `index`; the
// first broken rule wins, in the order of the fields in usage_record.proto.
// Whether event_time is too far ahead is only noted: that a record is stored
// already comes before. Thread-safe.
std::optional<CheckedRecord> CheckRecord(v1::UsageRecord record,
                                         absl::Time receive_time,
                                         v1::RecordError* error);

// INVALID_ARGUMENT, naming the rule, unless `project` is a project name.
absl::Status CheckProject(std::string_view project);

// INVALID_ARGUMENT, naming the rule, unless `record_id` is a record id.
absl::Status CheckRecordId(std::string_view record_id);

// Whether `key` is a label's key: `[a-z][a-z0-9_.-]{0,62}`.
bool IsLabelKey(std::string_view key);

}  // namespace tokenusage

#endif  // TOKENUSAGE_RECORD_CHECKED_RECORD_H_
