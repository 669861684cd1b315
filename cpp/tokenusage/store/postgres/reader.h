// SPDX-License-Identifier: Apache-2.0

// Reads from a PostgreSQL database.

#ifndef TOKENUSAGE_STORE_POSTGRES_READER_H_
#define TOKENUSAGE_STORE_POSTGRES_READER_H_

#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "tokenusage/store/postgres/pool.h"
#include "tokenusage/store/usage_query.h"

namespace tokenusage {

// A read is one statement for each project, so it sees one snapshot of the
// project, on Citus as well. Thread-safe.
class PostgresReader {
 public:
  PostgresReader(const PostgresTarget& target, int max_connections)
      : pool_(target, max_connections) {}

  // See UsageStore.
  absl::StatusOr<UsageQueryPage> Query(const UsageQuery& query);
  absl::StatusOr<v1::UsageRecord> GetRecord(std::string_view project,
                                            std::string_view record_id);
  absl::StatusOr<RecordPage> ListRecords(const RecordQuery& query);
  absl::StatusOr<std::vector<StoredProject>> ListProjects(
      const CallLimits& limits);

 private:
  PostgresPool pool_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_POSTGRES_READER_H_
