// SPDX-License-Identifier: Apache-2.0

// The store for many machines: a PostgreSQL database, which may be spread over
// a Citus cluster.
//
//   TOKENUSAGE_ASSIGN_OR_RETURN(
//       std::unique_ptr<UsageStore> store,
//       OpenPostgresStore("postgresql://usage@db.example/usage"));
//
// Any number of processes may open the same database. An append is answered
// after its transaction is durable as the server defines it; if the role or
// server turned synchronous_commit off, the store turns it on for its sessions.
//
// The operator creates the database, and MigratePostgresDatabase (`tokenusage
// db migrate`) its tables; opening a store never does.

#ifndef TOKENUSAGE_STORE_POSTGRES_STORE_H_
#define TOKENUSAGE_STORE_POSTGRES_STORE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tokenusage/store/postgres/table/schema.h"  // MigratePostgresDatabase
#include "tokenusage/store/usage_store.h"

namespace tokenusage {

struct PostgresStoreOptions {
  // The most connections that append, and the most that read; each at least 1.
  int max_write_connections = 4;
  int max_read_connections = 8;

  // The most records of one commit; a batch that is larger is committed alone.
  int max_records_per_commit = 5000;

  // The most that may wait to be written, in estimated bytes of memory; beyond
  // this, appends are answered with RESOURCE_EXHAUSTED.
  std::int64_t max_queued_bytes = 64 << 20;

  // The labels that rollups are kept by, and the limit of series.
  RollupOptions rollups;

  // Called after each commit with the time that it took, with waits for a
  // connection and retries, from any of the writing threads; must not block.
  // May be empty.
  std::function<void(absl::Duration)> on_commit;
};

// Opens the database at a URL; see PostgresTarget::Parse for passwords and TLS.
//
// Errors, each naming the database but no password:
//  - INVALID_ARGUMENT: the URL cannot be parsed.
//  - FAILED_PRECONDITION: the tables are missing or have another version, the
//    server is too old, or the database has other rollup labels.
//  - UNAVAILABLE: the server cannot be reached, or refuses the connection.
absl::StatusOr<std::unique_ptr<UsageStore>> OpenPostgresStore(
    const std::string& url, const PostgresStoreOptions& options = {});

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_POSTGRES_STORE_H_
