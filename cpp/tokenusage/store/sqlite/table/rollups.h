// SPDX-License-Identifier: Apache-2.0

// The tables of rollups.

#ifndef TOKENUSAGE_STORE_SQLITE_TABLE_ROLLUPS_H_
#define TOKENUSAGE_STORE_SQLITE_TABLE_ROLLUPS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tokenusage/record/usage_sum.h"
#include "tokenusage/store/lru_cache.h"
#include "tokenusage/store/rollup/rollup.h"
#include "tokenusage/store/sqlite/connection/database.h"
#include "tokenusage/store/store_maintenance.h"

namespace tokenusage {

struct SqliteRollupTable {
  const char* name;
  std::int64_t cell_seconds;
  bool by_label = false;
};
inline constexpr SqliteRollupTable kQuarterHourTable = {"rollup_quarter",
                                                        kQuarterHourSeconds};
inline constexpr SqliteRollupTable kHourTable = {"rollup_hour", kHourSeconds};
inline constexpr SqliteRollupTable kLabelQuarterHourTable = {
    "label_rollup_quarter", kQuarterHourSeconds, true};
inline constexpr SqliteRollupTable kLabelMonthTable = {"label_rollup_month",
                                                       kMonthSeconds, true};

// The first columns of a SELECT whose rows AddRollup reads.
inline constexpr char kRollupColumns[] =
    "series_id, cell_start, record_count, inconsistent_record_count, "
    "unknown_usage_record_count, measure_sums";
inline constexpr int kCellStartColumn = 1;
inline constexpr int kRollupColumnCount = 6;

// Adds the sum in a row to `sum`. Returns DATA_LOSS, naming the rollup, if the
// row does not hold one.
absl::Status AddRollup(const SqliteRows& row, const std::string& path,
                       UsageSum* sum);

// The place where a sum is stored. Tables that are not by label have no project
// and label set.
struct SqliteCell {
  std::int64_t project_id = 0;
  std::int64_t cell_start = 0;
  std::int64_t label_set_id = 0;
  std::int64_t series_id = 0;

  auto AsTuple() const {
    return std::tie(project_id, cell_start, label_set_id, series_id);
  }
  friend bool operator==(const SqliteCell& a, const SqliteCell& b) {
    return a.AsTuple() == b.AsTuple();
  }
  friend bool operator<(const SqliteCell& a, const SqliteCell& b) {
    return a.AsTuple() < b.AsTuple();
  }
  template <typename H>
  friend H AbslHashValue(H state, const SqliteCell& cell) {
    return H::combine(std::move(state), cell.project_id, cell.cell_start,
                      cell.label_set_id, cell.series_id);
  }
};
using SqliteSums = absl::flat_hash_map<SqliteCell, UsageSum>;

// Changes the sums of one table. One thread at a time.
class SqliteSumWriter {
 public:
  // Remembers the `max_remembered` sums that it wrote most recently, so that it
  // need not read them again.
  SqliteSumWriter(const SqliteRollupTable& table, std::size_t max_remembered);

  // Adds sums of quarter hours, or of the table's own cells, to the stored
  // sums. DATA_LOSS if that leaves what cannot be a sum of records.
  absl::Status Add(const SqliteSums& changes, SqliteDatabase* database);

  // Forgets the remembered sums. Must be called when something else may have
  // changed the table.
  void ForgetStored() { stored_.Clear(); }

 private:
  // Returns the cell of the table that holds this one.
  SqliteCell CellAround(SqliteCell cell) const;
  // Returns the stored sum; an empty one if there is none.
  absl::StatusOr<UsageSum> Read(const SqliteCell& cell,
                                SqliteDatabase* database) const;
  // Replaces the stored sum of `stored_records` records.
  absl::Status Write(const SqliteCell& cell, std::int64_t stored_records,
                     const UsageSum& sum, SqliteDatabase* database) const;

  const SqliteRollupTable table_;
  const std::size_t max_remembered_;
  // Statements on one row.
  const std::string select_;
  const std::string insert_;
  const std::string update_;
  const std::string remove_;
  // By KeyOf. A sum of no records is not in the table.
  LruCache<UsageSum> stored_;
};

// Returns the statement that selects one series' rollups in order of time. Its
// parameters are series_id and the start and end of a CellRange; its columns
// are kRollupColumns.
std::string SelectRollups(const SqliteRollupTable& table);

// Collects a transaction's changes of the rollups that are not by label, to
// write each rollup once. Remembers what it wrote: the next transaction need
// not read that. One thread at a time.
class SqliteRollups {
 public:
  SqliteRollups();

  void Add(std::int64_t series_id, std::int64_t event_time_nanos,
           const UsageCounts& counts);

  // Subtracts a record that was added before, by this transaction or another.
  void Subtract(std::int64_t series_id, std::int64_t event_time_nanos,
                const UsageCounts& counts);

  // Returns the number of quarter hours that change.
  std::size_t size() const { return quarter_hours_.size(); }

  // Writes the collected changes to the tables. If this or the transaction
  // fails, the object must be discarded.
  absl::Status Flush(SqliteDatabase* database);

  // See SqliteSumWriter.
  void ForgetStored() {
    quarter_hour_writer_.ForgetStored();
    hour_writer_.ForgetStored();
  }

 private:
  SqliteSums quarter_hours_;  // what was collected
  SqliteSumWriter quarter_hour_writer_;
  SqliteSumWriter hour_writer_;
};

// See StoreMaintenance::RebuildRollups. Works in the caller's transaction, and
// leaves the rollups by label as they are.
absl::StatusOr<Rebuild> RebuildSqliteRollups(SqliteDatabase* database,
                                             const CallLimits& limits);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_SQLITE_TABLE_ROLLUPS_H_
