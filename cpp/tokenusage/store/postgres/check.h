// SPDX-License-Identifier: Apache-2.0

// Checks that the content of a PostgreSQL database is consistent.

#ifndef TOKENUSAGE_STORE_POSTGRES_CHECK_H_
#define TOKENUSAGE_STORE_POSTGRES_CHECK_H_

#include <string>

#include "absl/status/status.h"
#include "tokenusage/store/postgres/connection/connection.h"
#include "tokenusage/store/rollup/check_report.h"

namespace tokenusage {

// Checks a project's records and rollups, from one snapshot, and adds the
// result to the report. Does not check PostgreSQL's files: pg_amcheck and data
// checksums do that.
absl::Status CheckPostgresProject(PostgresConnection* connection,
                                  const std::string& project,
                                  const CallLimits& limits,
                                  CheckReportBuilder* report);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_POSTGRES_CHECK_H_
