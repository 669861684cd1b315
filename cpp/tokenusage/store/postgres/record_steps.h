// SPDX-License-Identifier: Apache-2.0

// Divides the records of a project into steps that fit into memory.
//
//   TOKENUSAGE_RETURN_IF_ERROR(ForEachRecordStep(
//       connection, project, {start, end}, limits,
//       [&](TimeWindow window) { return ReadRecords(window); }));

#ifndef TOKENUSAGE_STORE_POSTGRES_RECORD_STEPS_H_
#define TOKENUSAGE_STORE_POSTGRES_RECORD_STEPS_H_

#include <cstdint>
#include <functional>
#include <limits>
#include <string>

#include "absl/status/status.h"
#include "tokenusage/store/postgres/connection/connection.h"
#include "tokenusage/store/usage_query.h"

namespace tokenusage {

// The end of a window that has none.
inline constexpr std::int64_t kEndOfTime =
    std::numeric_limits<std::int64_t>::max();

// Calls `each` with steps that together cover `window`, in order. `window`
// starts and ends on whole hours, or at kEndOfTime. The steps meet on whole
// hours, and each holds up to 20,000 records, or one hour that has more.
//
// Errors: those of the connection and of `each`; DEADLINE_EXCEEDED, CANCELLED.
absl::Status ForEachRecordStep(
    PostgresConnection* connection, const std::string& project,
    TimeWindow window, const CallLimits& limits,
    const std::function<absl::Status(TimeWindow)>& each);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_POSTGRES_RECORD_STEPS_H_
