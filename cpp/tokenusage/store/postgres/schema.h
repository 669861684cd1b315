// SPDX-License-Identifier: Apache-2.0

// The layout of the PostgreSQL database, version 1: everything is in the schema
// `tokenusage`.

#ifndef TOKENUSAGE_STORE_POSTGRES_SCHEMA_H_
#define TOKENUSAGE_STORE_POSTGRES_SCHEMA_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tokenusage/store/postgres/connection.h"

namespace tokenusage {

// Counted up with every change of the schema.
inline constexpr std::int64_t kPostgresSchemaVersion = 1;

// The first version of PostgreSQL that is served, as PQserverVersion says it.
inline constexpr int kMinPostgresVersion = 130000;

// FAILED_PRECONDITION, naming the database, unless it has the tables of this
// version. Where `tokenusage db migrate` would help, the message says so.
absl::Status CheckPostgresSchema(PostgresConnection* connection);

// What migrating did.
struct PostgresMigration {
  std::int64_t from_version = 0;  // 0: there was nothing
  std::int64_t to_version = kPostgresSchemaVersion;
  std::vector<std::string> distributed_tables;  // by this call
};

// Creates the tables, or brings those of an older version to this one, in one
// transaction; does nothing where they are this version's already. Where
// `distribute` is set, also spreads the tables over the nodes of a Citus
// cluster, by project and co-located.
//
// Errors: FAILED_PRECONDITION: the database is a newer version's, or no
// database of Citus; those of PostgresConnection.
absl::StatusOr<PostgresMigration> MigratePostgresSchema(
    PostgresConnection* connection, bool distribute);

// The statements that create the tables, in order; for tests.
std::vector<std::string> PostgresSchemaStatements();

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_POSTGRES_SCHEMA_H_
