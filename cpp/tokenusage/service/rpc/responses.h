// SPDX-License-Identifier: Apache-2.0

// Converts a store's answers to response messages. Thread-safe.

#ifndef TOKENUSAGE_SERVICE_RPC_RESPONSES_H_
#define TOKENUSAGE_SERVICE_RPC_RESPONSES_H_

#include <string>

#include "google/protobuf/repeated_field.h"
#include "tokenusage/record/checked_record.h"
#include "tokenusage/store/usage_query.h"
#include "tokenusage/store/usage_store.h"
#include "tokenusage/v1/usage_reporting_service.pb.h"

namespace tokenusage {

// Counts the outcome of one record in `response`, or adds its error.
void AddOutcome(const CheckedRecord& record, const AppendOutcome& outcome,
                v1::ReportUsageResponse* response);

// Converts one row of totals. `group_by` are the field names as the caller
// wrote them.
v1::UsageRow ToUsageRow(
    const UsageQueryRow& row,
    const ::google::protobuf::RepeatedPtrField<std::string>& group_by);

v1::Project ToProject(const StoredProject& project);

// Moves the records of a page to `response`, each with its inconsistencies, up
// to about 4 MB. Returns whether they are the last ones of the listing.
bool AddRecords(RecordPage page, v1::ListUsageRecordsResponse* response);

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_RPC_RESPONSES_H_
