// SPDX-License-Identifier: Apache-2.0

// Checks a usage message of any type against its own schema.

#ifndef TOKENUSAGE_RECORD_USAGE_CHECK_H_
#define TOKENUSAGE_RECORD_USAGE_CHECK_H_

#include <optional>
#include <string>

#include "google/protobuf/message.h"
#include "tokenusage/v1/usage_record.pb.h"
#include "tokenusage/v1/usage_reporting_service.pb.h"

namespace tokenusage {

// A broken rule of a usage message.
struct UsageFault {
  v1::RecordErrorReason reason;
  std::string path;  // from the usage message on
  std::string message;
};

// The first field, in declaration order and depth first, that is marked with
// (tokenusage.v1.required) and not set, or is a count that is not finite or not
// from 0 to kMaxTokenCount. Nothing where there is none. Thread-safe.
std::optional<UsageFault> CheckUsage(const google::protobuf::Message& usage);

// Whether CheckUsage would find nothing in the record's usage, told without
// looking at the schema. Where it says no, CheckUsage decides. Thread-safe.
bool HasPlainUsage(const v1::UsageRecord& record);

}  // namespace tokenusage

#endif  // TOKENUSAGE_RECORD_USAGE_CHECK_H_
