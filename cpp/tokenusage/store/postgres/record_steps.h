// SPDX-License-Identifier: Apache-2.0

// Divides the records of a project into steps that fit into memory.
//
//   TOKENUSAGE_RETURN_IF_ERROR(ForEachRecordStep(
//       connection, project, /*from_nanos=*/0, limits,
//       [&](TimeWindow window) { return ReadRecords(window); }));

#ifndef TOKENUSAGE_STORE_POSTGRES_RECORD_STEPS_H_
#define TOKENUSAGE_STORE_POSTGRES_RECORD_STEPS_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "tokenusage/store/postgres/connection/connection.h"
#include "tokenusage/store/usage_query.h"

namespace tokenusage {

// Calls `each` with windows that together cover all time from `from_nanos` on,
// which must be a whole hour, in order. They meet on whole hours, and each
// holds up to 20,000 records, or one hour that has more.
//
// Errors: those of the connection and of `each`; DEADLINE_EXCEEDED, CANCELLED.
absl::Status ForEachRecordStep(
    PostgresConnection* connection, const std::string& project,
    std::int64_t from_nanos, const CallLimits& limits,
    const std::function<absl::Status(TimeWindow)>& each);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_POSTGRES_RECORD_STEPS_H_
