// SPDX-License-Identifier: Apache-2.0

// Records for tests.

#ifndef TOKENUSAGE_TESTS_SUPPORT_RECORDS_H_
#define TOKENUSAGE_TESTS_SUPPORT_RECORDS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "tokenusage/record/checked_record.h"
#include "tokenusage/v1/usage_record.pb.h"

namespace tokenusage::testing {

// Parses a time such as "2026-08-01T12:00:00Z"; aborts on other text. Nanos
// returns the nanoseconds since 1970.
absl::Time Time(std::string_view rfc3339);
std::int64_t Nanos(std::string_view rfc3339);

// Returns the default receive time of CheckedOf: 2030-01-01T00:00:00Z.
absl::Time ReceiveTime();

// Returns a valid record: an image edit with the counts of the provider's
// example.
v1::UsageRecord ValidRecord();

// Returns the same record with this id and time.
v1::UsageRecord ValidRecord(std::string_view record_id,
                            std::int64_t event_time_nanos);

void SetEventTime(std::int64_t nanos, v1::UsageRecord* record);

// Checks the records; aborts if one is invalid.
std::shared_ptr<const CheckedBatch> CheckedOf(
    const std::vector<v1::UsageRecord>& records,
    absl::Time receive_time = ReceiveTime());

}  // namespace tokenusage::testing

#endif  // TOKENUSAGE_TESTS_SUPPORT_RECORDS_H_
