// SPDX-License-Identifier: Apache-2.0

// The layout of the PostgreSQL database: everything is in the schema
// `tokenusage`.

#ifndef TOKENUSAGE_STORE_POSTGRES_TABLE_SCHEMA_H_
#define TOKENUSAGE_STORE_POSTGRES_TABLE_SCHEMA_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tokenusage/store/postgres/connection/connection.h"
#include "tokenusage/store/query/query_plan.h"
#include "tokenusage/store/usage_query.h"
#include "tokenusage/usage/usage_counts.h"

namespace tokenusage {

// Changes with every change of the schema: 100 times the version of the layout,
// which is 1, plus the number of measures, each of which has columns.
inline constexpr std::int64_t kPostgresSchemaVersion = 100 + kMaxUsageMeasure;

// The oldest supported version of PostgreSQL, as returned by PQserverVersion.
inline constexpr int kMinPostgresVersion = 130000;

// Returns FAILED_PRECONDITION, naming the database, unless it has the tables of
// this version. If `tokenusage db migrate` would help, the message says so.
absl::Status CheckPostgresSchema(PostgresConnection* connection);

// The effect of a migration.
struct PostgresMigration {
  std::int64_t from_version = 0;  // 0: there were no tables
  std::int64_t to_version = kPostgresSchemaVersion;
  std::vector<std::string> distributed_tables;  // by this call
};

// Creates the tables of the database at a URL, or adds the columns of newer
// measures to those of an older version, in one transaction; does nothing if
// they have this version already. No table is rewritten. If `distribute` is
// set, also spreads the tables over the nodes of a Citus cluster, by project
// and co-located.
//
// Errors: those of OpenPostgresStore; FAILED_PRECONDITION if the database has a
// newer version, or no Citus.
absl::StatusOr<PostgresMigration> MigratePostgresDatabase(
    const std::string& url, bool distribute);

// Returns all projects, sorted by name.
absl::StatusOr<std::vector<StoredProject>> ReadPostgresProjects(
    PostgresConnection* connection, absl::Duration timeout);

// Returns the horizons and labels of those of the projects that exist.
absl::StatusOr<std::vector<ProjectHorizon>> ReadPostgresHorizons(
    PostgresConnection* connection, const std::vector<std::string>& projects);

// Returns the labels that new projects keep rollups by. In a database without
// projects, they become `wanted`.
//
// Errors: FAILED_PRECONDITION if they differ from `wanted`.
absl::StatusOr<RollupLabels> SetUpPostgresLabels(
    PostgresConnection* connection, const std::optional<RollupLabels>& wanted);

// Changes the labels of new projects. Waits for appends that are adding one.
absl::Status WritePostgresLabels(PostgresConnection* connection,
                                 const RollupLabels& labels);

// Returns the value of UsageStore::page_token_key.
absl::StatusOr<std::string> ReadPageTokenKey(PostgresConnection* connection);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_POSTGRES_TABLE_SCHEMA_H_
