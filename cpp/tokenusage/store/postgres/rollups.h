// SPDX-License-Identifier: Apache-2.0

// The sums per quarter and hour that are kept beside the records.

#ifndef TOKENUSAGE_STORE_POSTGRES_ROLLUPS_H_
#define TOKENUSAGE_STORE_POSTGRES_ROLLUPS_H_

#include <cstdint>
#include <map>
#include <string>
#include <tuple>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "tokenusage/record/checked_record.h"
#include "tokenusage/record/token_counts.h"
#include "tokenusage/store/postgres/connection.h"
#include "tokenusage/store/postgres/values.h"

namespace tokenusage {

// Collects what a transaction adds to the sums of one project, so that each
// cell is written once. One thread at a time.
class PostgresCells {
 public:
  // operation, provider, model
  using Names = std::tuple<std::string, std::string, std::string>;
  // cell_seconds, cell_start, names: the key, in its order.
  using Key = std::tuple<std::int64_t, std::int64_t, Names>;

  void Add(const v1::UsageRecord& record, std::int64_t event_time_nanos,
           const TokenCounts& counts);

  bool empty() const { return quarters_.empty(); }

  // Quarters and hours.
  std::map<Key, UsageSum> All() const;

  // The parameters of postgres_sql::AddToRollup: quarters and hours, in the
  // order of their key, so that transactions never wait for each other in a
  // circle.
  PostgresParams ToParams(const std::string& project) const;

 private:
  absl::flat_hash_map<Key, UsageSum> quarters_;
};

// The parameters of postgres_sql::AddToRollup and SetRollup.
PostgresParams RollupParams(
    const std::string& project,
    const std::map<PostgresCells::Key, UsageSum>& cells);

// Adds quarters to the hours that they lie in.
std::map<PostgresCells::Key, UsageSum> HoursOfQuarters(
    const std::map<PostgresCells::Key, UsageSum>& quarters);

// The sum in a row whose columns from `first_column` on are record_count and
// the five sums as decimals. DATA_LOSS where one is not an amount.
absl::StatusOr<UsageSum> ReadPostgresSum(const PostgresConnection& connection,
                                         const PostgresResult& rows, int row,
                                         int first_column);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_POSTGRES_ROLLUPS_H_
