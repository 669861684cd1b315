// SPDX-License-Identifier: Apache-2.0

// Whether two records say the same, which decides between duplicate and
// conflict.

#ifndef TOKENUSAGE_RECORD_SAME_CONTENT_H_
#define TOKENUSAGE_RECORD_SAME_CONTENT_H_

#include "tokenusage/v1/usage_record.pb.h"

namespace tokenusage {

// Whether all fields that the reporter set are equal: doubles bit for bit, maps
// as sets, presence included, unknown fields as a set per field number,
// receive_time left out. Works on parsed messages, never on stored bytes, whose
// order a new protobuf version may change. Thread-safe.
bool SameContent(const v1::UsageRecord& a, const v1::UsageRecord& b);

}  // namespace tokenusage

#endif  // TOKENUSAGE_RECORD_SAME_CONTENT_H_
