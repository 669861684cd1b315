// SPDX-License-Identifier: Apache-2.0

// What a store answered, in the terms of usage_reporting_service.proto.

#ifndef TOKENUSAGE_SERVICE_RPC_RESPONSES_H_
#define TOKENUSAGE_SERVICE_RPC_RESPONSES_H_

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "google/protobuf/timestamp.pb.h"
#include "tokenusage/record/checked_record.h"
#include "tokenusage/store/usage_query.h"
#include "tokenusage/store/usage_store.h"
#include "tokenusage/v1/usage_reporting_service.pb.h"

namespace tokenusage {

// `nanos` since 1970-01-01T00:00:00Z as a Timestamp.
google::protobuf::Timestamp TimestampFromNanos(std::int64_t nanos);

// The way back, for times that a store holds.
std::int64_t NanosFromTimestamp(const google::protobuf::Timestamp& time);

// Counts the outcome of one record in `response`, or adds its error.
void AddOutcome(const CheckedRecord& record, AppendOutcome outcome,
                v1::ReportUsageResponse* response);

// One row of totals; group_by are the field names as the caller wrote them.
v1::UsageRow ToUsageRow(
    const UsageQueryRow& row,
    const google::protobuf::RepeatedPtrField<std::string>& group_by);

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_RPC_RESPONSES_H_
