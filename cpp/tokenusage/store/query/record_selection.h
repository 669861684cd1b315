// SPDX-License-Identifier: Apache-2.0

// Applies and describes a RecordSelection.
//
//   for (const v1::UsageRecord& record : records) {
//     if (IsSelected(selection, record)) Delete(record);
//   }

#ifndef TOKENUSAGE_STORE_QUERY_RECORD_SELECTION_H_
#define TOKENUSAGE_STORE_QUERY_RECORD_SELECTION_H_

#include <string>

#include "tokenusage/store/store_maintenance.h"
#include "tokenusage/v1/usage_record.pb.h"

namespace tokenusage {

// Returns whether the selection holds this record of its project.
bool IsSelected(const RecordSelection& selection,
                const v1::UsageRecord& record);

// Returns a selection, except for its project, as one line of text, such as
// `labels.customer="acme", model="m1"|"m2", until 2026-11-01T00:00:00Z`. Times
// that every record passes are left out.
std::string DescribeSelection(const RecordSelection& selection);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_QUERY_RECORD_SELECTION_H_
