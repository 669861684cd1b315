// SPDX-License-Identifier: Apache-2.0

// The rules of tokenusage/v1/usage_record.proto that can be checked without a
// store.
//
//   if (std::optional<v1::RecordError> error =
//           CheckRecord(record, CountRecord(record))) {
//     return Refuse(*error);  // reason, field, message
//   }
//
// All functions are thread-safe.

#ifndef TOKENUSAGE_RECORD_RECORD_RULES_H_
#define TOKENUSAGE_RECORD_RECORD_RULES_H_

#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "tokenusage/usage/usage_counts.h"
#include "tokenusage/v1/usage_record.pb.h"
#include "tokenusage/v1/usage_reporting_service.pb.h"

namespace tokenusage {

// Limits, from usage_record.proto. Sizes are in bytes.
inline constexpr int kMaxRecordIdBytes = 255;
inline constexpr int kMaxNameBytes = 128;  // operation, provider, model
inline constexpr int kMaxLabels = 16;
inline constexpr int kMaxLabelKeyBytes = 63;
inline constexpr int kMaxLabelValueBytes = 256;
inline constexpr int kMaxUsageJsonBytes = 8192;
inline constexpr int kMaxProjectBytes = 63;
inline constexpr absl::Duration kMaxEventTimeAhead = absl::Minutes(5);

// Returns the first violation, without `index`; nothing if the record keeps
// every rule. The order is that of the fields in usage_record.proto, but a
// correction of a kind that this server does not know comes first. `counts`
// must be those of the record: see CountRecord. Does not check whether
// event_time is too far ahead, which depends on when the record is received.
std::optional<v1::RecordError> CheckRecord(const v1::UsageRecord& record,
                                           const UsageCounts& counts);

// Returns INVALID_ARGUMENT, naming the rule, unless `project` is a project
// name.
absl::Status CheckProject(std::string_view project);

// Returns INVALID_ARGUMENT, naming the rule, unless `record_id` is a record id.
absl::Status CheckRecordId(std::string_view record_id);

// Returns whether `key` is a label's key: `[a-z][a-z0-9_.-]{0,62}`.
bool IsLabelKey(std::string_view key);

}  // namespace tokenusage

#endif  // TOKENUSAGE_RECORD_RECORD_RULES_H_
