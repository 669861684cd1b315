// SPDX-License-Identifier: Apache-2.0

// The time before which the database holds totals and no records.

#ifndef TOKENUSAGE_STORE_POSTGRES_HORIZON_H_
#define TOKENUSAGE_STORE_POSTGRES_HORIZON_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "tokenusage/store/postgres/connection.h"

namespace tokenusage {

// In nanoseconds; kNoHorizon (query_plan.h) where nothing was ever removed.
absl::StatusOr<std::int64_t> ReadPostgresHorizon(
    PostgresConnection* connection);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_POSTGRES_HORIZON_H_
