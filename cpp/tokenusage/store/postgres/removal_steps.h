// SPDX-License-Identifier: Apache-2.0

// The records of a project in parts that fit into memory.

#ifndef TOKENUSAGE_STORE_POSTGRES_REMOVAL_STEPS_H_
#define TOKENUSAGE_STORE_POSTGRES_REMOVAL_STEPS_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "tokenusage/store/postgres/connection.h"
#include "tokenusage/store/usage_query.h"

namespace tokenusage {

// Calls `each` with windows that together hold all time from `from` on, in
// order. Their borders are whole hours, and each holds some ten thousand
// records or, where an hour has more, that hour.
//
// Errors: those of the connection and of `each`; DEADLINE_EXCEEDED, CANCELLED.
absl::Status ForEachChunk(PostgresConnection* connection,
                          const std::string& project, std::int64_t from_nanos,
                          const CallLimits& limits,
                          const std::function<absl::Status(TimeWindow)>& each);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_POSTGRES_REMOVAL_STEPS_H_
