// SPDX-License-Identifier: Apache-2.0

// Tells a duplicate from a conflict.
//
//   if (!SameContent(stored, reported)) return AppendOutcome::kConflict;

#ifndef TOKENUSAGE_RECORD_SAME_CONTENT_H_
#define TOKENUSAGE_RECORD_SAME_CONTENT_H_

#include <string>

#include "tokenusage/v1/usage_record.pb.h"

namespace tokenusage {

// Returns whether all fields that the reporter set are equal: doubles bit for
// bit, maps as sets, presence included, unknown fields as a set per field
// number, output-only fields left out. Compares parsed messages, never stored
// bytes, whose order may change with the version of protobuf. Thread-safe.
bool SameContent(v1::UsageRecord a, v1::UsageRecord b);

// Returns the first field, in the order of the schema, in which the contents
// differ, such as `model`, `labels.team` or `token_usage.input_tokens`; `an
// unknown field` if only fields differ that the schema does not know (if they
// are in a message within the record, its path); empty if none does.
// Thread-safe.
std::string FirstDifference(v1::UsageRecord a, v1::UsageRecord b);

}  // namespace tokenusage

#endif  // TOKENUSAGE_RECORD_SAME_CONTENT_H_
