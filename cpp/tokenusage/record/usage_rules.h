// SPDX-License-Identifier: Apache-2.0

// The rules that a record's usage must keep, read from the schema: a new usage
// message needs no code here.
//
//   if (std::optional<Violation> violation = FindUsageViolation(record)) {
//     return Refuse(violation->field, violation->message);
//   }

#ifndef TOKENUSAGE_RECORD_USAGE_RULES_H_
#define TOKENUSAGE_RECORD_USAGE_RULES_H_

#include <optional>
#include <string>
#include <string_view>

#include "tokenusage/v1/usage_record.pb.h"
#include "tokenusage/v1/usage_reporting_service.pb.h"

namespace tokenusage {

// A broken rule of a record.
struct Violation {
  v1::RecordErrorReason reason;
  std::string field;  // its path from the record on; may be empty
  std::string message;
};

// The violation of a required field that is not set.
Violation MissingField(std::string_view field);

// Returns the first field of the usage, in declaration order and depth first,
// that is marked with (tokenusage.v1.required) and not set, or is a count that
// is not finite or not from 0 to kMaxTokenCount. A record without a usage is
// itself a violation. Thread-safe.
std::optional<Violation> FindUsageViolation(const v1::UsageRecord& record);

}  // namespace tokenusage

#endif  // TOKENUSAGE_RECORD_USAGE_RULES_H_
