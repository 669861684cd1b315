// SPDX-License-Identifier: Apache-2.0

// Writes records into the database, without threads.

#ifndef TOKENUSAGE_STORE_POSTGRES_APPENDER_H_
#define TOKENUSAGE_STORE_POSTGRES_APPENDER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tokenusage/record/checked_record.h"
#include "tokenusage/store/postgres/connection/pool.h"
#include "tokenusage/store/postgres/table/series.h"
#include "tokenusage/store/usage_store.h"

namespace tokenusage {

// Appends records to projects, in one transaction for each call. Thread-safe.
//
// If the cache shows that only a taken id or a wrong correction can refuse a
// record, the records are inserted at once, which takes two round trips.
// Corrections take one more, or two with rollups by label, and the project is
// locked: of two appends that race, the second sees what the first has done.
// Otherwise, and if a correction is refused, the project is locked and read
// first.
class PostgresAppender {
 public:
  // `pool` must outlive this. `rollups` has the labels of new projects. If
  // these change, the appender notices when it adds a project.
  PostgresAppender(PostgresPool* pool, const RollupOptions& rollups)
      : pool_(*pool),
        max_series_(rollups.max_series),
        cache_(*rollups.labels) {}

  // Returns one outcome per record, in their order, all of them durable. If
  // `retry`, retries as PostgresPool::Run does.
  absl::StatusOr<std::vector<AppendOutcome>> Append(
      const std::string& project,
      const std::vector<const CheckedRecord*>& records, bool retry);

 private:
  absl::Status TryAppend(PostgresConnection* connection,
                         const std::string& project,
                         const std::vector<const CheckedRecord*>& records,
                         bool* maybe_committed,
                         std::vector<AppendOutcome>* outcomes);

  PostgresPool& pool_;
  const std::int64_t max_series_;
  PostgresSeriesCache cache_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_POSTGRES_APPENDER_H_
