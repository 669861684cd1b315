// SPDX-License-Identifier: Apache-2.0

// Compares a database with itself.

#ifndef TOKENUSAGE_STORE_POSTGRES_CHECK_H_
#define TOKENUSAGE_STORE_POSTGRES_CHECK_H_

#include <string>

#include "absl/status/status.h"
#include "tokenusage/store/postgres/connection.h"
#include "tokenusage/store/store_maintenance.h"

namespace tokenusage {

// Adds to the report what a project's records and sums are, and what is wrong
// with them, from one snapshot. Whether PostgreSQL's own files are whole is for
// its pg_amcheck and checksums.
absl::Status CheckPostgresProject(PostgresConnection* connection,
                                  const std::string& project,
                                  const CheckOptions& options,
                                  CheckReport* report);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_POSTGRES_CHECK_H_
