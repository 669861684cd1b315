// SPDX-License-Identifier: Apache-2.0

// Counts a record.
//
//   UsageCounts counts = CountRecord(record);

#ifndef TOKENUSAGE_RECORD_RECORD_COUNTS_H_
#define TOKENUSAGE_RECORD_RECORD_COUNTS_H_

#include <vector>

#include "tokenusage/usage/usage_counts.h"
#include "tokenusage/v1/usage_record.pb.h"

namespace tokenusage {

// Returns the counts of the record's usage, by the rules of its provider. A
// usage that is unknown, not set, or of a type that this schema does not have,
// counts nothing. Leaves out counts that are out of range, which CheckRecord
// refuses. If `why` is not null, appends a description of each contradiction to
// it. Thread-safe.
UsageCounts CountRecord(const v1::UsageRecord& record,
                        std::vector<v1::UsageInconsistency>* why = nullptr);

// Returns whether the record takes another one back: it has `corrects`, and no
// usage.
bool IsVoid(const v1::UsageRecord& record);

// Returns whether the record is part of totals: it is neither a void nor
// corrected.
bool Counts(const v1::UsageRecord& record);

// Replaces `inconsistencies` with the contradictions in the record's usage.
void SetInconsistencies(v1::UsageRecord* record);

}  // namespace tokenusage

#endif  // TOKENUSAGE_RECORD_RECORD_COUNTS_H_
