// SPDX-License-Identifier: Apache-2.0

// The horizon of a project in a PostgreSQL database.

#ifndef TOKENUSAGE_STORE_POSTGRES_HORIZON_H_
#define TOKENUSAGE_STORE_POSTGRES_HORIZON_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "tokenusage/store/postgres/connection.h"

namespace tokenusage {

// Returns nanoseconds since 1970; kNoHorizon if nothing was ever removed.
absl::StatusOr<std::int64_t> ReadPostgresHorizon(PostgresConnection* connection,
                                                 const std::string& project);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_POSTGRES_HORIZON_H_
