// SPDX-License-Identifier: Apache-2.0

// The table of rollups.

#ifndef TOKENUSAGE_STORE_POSTGRES_ROLLUPS_H_
#define TOKENUSAGE_STORE_POSTGRES_ROLLUPS_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tokenusage/record/usage_sum.h"
#include "tokenusage/store/postgres/connection.h"
#include "tokenusage/store/postgres/values.h"
#include "tokenusage/store/rollup/rollup.h"

namespace tokenusage {

// Collects how a transaction changes the rollups of one project, so that each
// is written once. One thread at a time.
class PostgresRollups {
 public:
  void Add(const v1::UsageRecord& record, std::int64_t event_time_nanos,
           const UsageCounts& counts) {
    quarter_hours_[RollupKeyOf(record, event_time_nanos)].Add(counts);
  }

  // Takes away a record that was added before, by this transaction or another.
  void Subtract(const v1::UsageRecord& record, std::int64_t event_time_nanos,
                const UsageCounts& counts) {
    quarter_hours_[RollupKeyOf(record, event_time_nanos)].Subtract(counts);
  }

  bool empty() const { return quarter_hours_.empty(); }

  // Returns quarter hours and hours.
  Rollups All() const;

 private:
  absl::flat_hash_map<RollupKey, UsageSum> quarter_hours_;
};

// Returns the parameters of postgres_sql::AddToRollups, SetRollups and
// ChangeRollups, in the order of the key, so that transactions cannot deadlock.
PostgresParams RollupParams(const std::string& project, const Rollups& rollups);

// Changes rollups by sums that may be negative, in the caller's transaction and
// after what was sent before, and waits; then sends the deletion of those that
// are left without records. DATA_LOSS if one cannot be a sum of records.
absl::Status ChangePostgresRollups(PostgresConnection* connection,
                                   const std::string& project,
                                   const PostgresRollups& rollups);

// Adds the sum in a row, whose columns from `first_column` on are those of
// postgres_sql::kSumColumns, to `sum`. DATA_LOSS if it is none.
absl::Status AddPostgresSum(const PostgresConnection& connection,
                            const PostgresResult& row, int first_column,
                            UsageSum* sum);

// Calls `each` with a project's rollups of one cell length, in the order of
// their key, until it returns false.
absl::Status ForEachPostgresRollup(
    PostgresConnection* connection, const std::string& project,
    std::int64_t cell_seconds, CellRange range, const CallLimits& limits,
    const std::function<absl::StatusOr<bool>(const RollupKey& key,
                                             const UsageSum& sum)>& each);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_POSTGRES_ROLLUPS_H_
