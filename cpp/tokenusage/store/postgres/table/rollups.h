// SPDX-License-Identifier: Apache-2.0

// The tables of rollups.

#ifndef TOKENUSAGE_STORE_POSTGRES_TABLE_ROLLUPS_H_
#define TOKENUSAGE_STORE_POSTGRES_TABLE_ROLLUPS_H_

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tokenusage/record/usage_sum.h"
#include "tokenusage/store/postgres/connection/connection.h"
#include "tokenusage/store/postgres/connection/values.h"
#include "tokenusage/store/postgres/table/sql.h"
#include "tokenusage/store/rollup/rollup.h"

namespace tokenusage {

// Collects the changes of a transaction to the rollups of one project, so that
// each is written once. One thread at a time.
class PostgresRollups {
 public:
  using Family = postgres_sql::Family;

  // Without `labels`, there are no rollups by label.
  explicit PostgresRollups(RollupLabels labels) : labels_(std::move(labels)) {}

  void Add(const v1::UsageRecord& record, std::int64_t event_time_nanos,
           const UsageCounts& counts) {
    plain_[RollupKeyOf(record, event_time_nanos)].Add(counts);
    if (labels_.empty()) return;
    by_label_[RollupKeyOf(record, event_time_nanos, labels_)].Add(counts);
  }

  // Subtracts a record that was added before, by this transaction or another.
  void Subtract(const v1::UsageRecord& record, std::int64_t event_time_nanos,
                const UsageCounts& counts) {
    plain_[RollupKeyOf(record, event_time_nanos)].Subtract(counts);
    if (labels_.empty()) return;
    by_label_[RollupKeyOf(record, event_time_nanos, labels_)].Subtract(counts);
  }

  bool empty() const { return plain_.empty(); }

  // Returns the families of rollups that the project has.
  std::vector<Family> Families() const {
    if (labels_.empty()) return {Family::kPlain};
    return {Family::kPlain, Family::kByLabel};
  }

  // Returns the quarter hours.
  Rollups QuarterHours(Family family) const {
    const auto& sums = family == Family::kByLabel ? by_label_ : plain_;
    return Rollups(sums.begin(), sums.end());
  }

  // Returns the quarter hours, and the hours or, by label, the months.
  Rollups All(Family family) const {
    Rollups all = QuarterHours(family);
    all.merge(CoarserRollupsOf(all));
    return all;
  }

 private:
  const RollupLabels labels_;
  absl::flat_hash_map<RollupKey, UsageSum> plain_;  // quarter hours
  absl::flat_hash_map<RollupKey, UsageSum> by_label_;
};

// Returns the parameters of postgres_sql::AddToRollups, SetRollups and
// ChangeRollups, in the order of the key, so that transactions cannot deadlock.
PostgresParams RollupParams(const std::string& project,
                            postgres_sql::Family family,
                            const Rollups& rollups);

// Changes rollups by sums that may be negative, in the caller's transaction and
// after what was sent before, and waits; then sends the deletion of the rollups
// that are left without records. DATA_LOSS if the number of records of one
// would be negative.
absl::Status ChangePostgresRollups(PostgresConnection* connection,
                                   const std::string& project,
                                   const PostgresRollups& rollups);

// Adds the sum in a row, whose columns from `first_column` on are those of
// postgres_sql::kSumColumns, to `sum`. Returns DATA_LOSS if they do not hold a
// sum.
absl::Status AddPostgresSum(const PostgresConnection& connection,
                            const PostgresResult& row, int first_column,
                            UsageSum* sum);

// Calls `each` with a project's rollups of one family and cell length, in the
// order of their key, until it returns false.
absl::Status ForEachPostgresRollup(
    PostgresConnection* connection, const std::string& project,
    postgres_sql::Family family, std::int64_t cell_seconds, CellRange range,
    const CallLimits& limits,
    const std::function<absl::StatusOr<bool>(const RollupKey& key,
                                             const UsageSum& sum)>& each);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_POSTGRES_TABLE_ROLLUPS_H_
