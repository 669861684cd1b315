// SPDX-License-Identifier: Apache-2.0

// Reads records as a database stores them: protobuf bytes.
//
//   v1::UsageRecord record;
//   TOKENUSAGE_RETURN_IF_ERROR(ReadStoredRecord(path, bytes, &record));

#ifndef TOKENUSAGE_STORE_ROLLUP_STORED_RECORD_H_
#define TOKENUSAGE_STORE_ROLLUP_STORED_RECORD_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "tokenusage/v1/usage_record.pb.h"

namespace tokenusage {

// Returns DATA_LOSS: "database NAME is damaged: WHAT".
absl::Status DamagedError(std::string_view database, std::string_view what);

// Parses a stored record, into a message that may be reused. DATA_LOSS if it
// cannot be read.
absl::Status ReadStoredRecord(std::string_view database, std::string_view bytes,
                              v1::UsageRecord* record);

// Parses a stored record and compares it with the columns it is stored under.
// Returns what is wrong, for people; empty if nothing is.
std::string CheckStoredRecord(std::string_view bytes,
                              std::string_view record_id,
                              std::int64_t event_time_nanos,
                              v1::UsageRecord* record);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_ROLLUP_STORED_RECORD_H_
