// SPDX-License-Identifier: Apache-2.0

// The two tables of rollups.

#ifndef TOKENUSAGE_STORE_SQLITE_ROLLUPS_H_
#define TOKENUSAGE_STORE_SQLITE_ROLLUPS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tokenusage/record/usage_sum.h"
#include "tokenusage/store/rollup/rollup.h"
#include "tokenusage/store/sqlite/database.h"
#include "tokenusage/store/store_maintenance.h"

namespace tokenusage {

struct SqliteRollupTable {
  const char* name;
  std::int64_t cell_seconds;
};
inline constexpr SqliteRollupTable kQuarterHourTable = {"rollup_quarter",
                                                        kQuarterHourSeconds};
inline constexpr SqliteRollupTable kHourTable = {"rollup_hour", kHourSeconds};

// The first columns of a SELECT whose rows AddRollup reads.
inline constexpr char kRollupColumns[] =
    "series_id, cell_start, record_count, inconsistent_record_count, "
    "unknown_usage_record_count, measure_sums";
inline constexpr int kCellStartColumn = 1;
inline constexpr int kRollupColumnCount = 6;

// Adds the sum in a row to `sum`. DATA_LOSS, naming the rollup, if it is none.
absl::Status AddRollup(const SqliteStatement& row, const std::string& path,
                       UsageSum* sum);

// Returns the statement that selects one series' rollups in order of time. Its
// parameters are series_id and the start and end of a CellRange; its columns
// are kRollupColumns.
absl::StatusOr<SqliteStatement*> SelectRollups(SqliteDatabase* database,
                                               const SqliteRollupTable& table);

// Collects how a transaction changes the rollups, so that each is written once,
// and remembers what it wrote, so that the next transaction need not read
// it. One thread at a time.
class SqliteRollups {
 public:
  void Add(std::int64_t series_id, std::int64_t event_time_nanos,
           const UsageCounts& counts);

  // Takes away a record that was added before, by this transaction or another.
  void Subtract(std::int64_t series_id, std::int64_t event_time_nanos,
                const UsageCounts& counts);

  // Returns how many quarter hours change.
  std::size_t size() const { return quarter_hours_.size(); }

  // Writes to the tables what was collected. If this or the transaction fails,
  // the object must be thrown away.
  absl::Status Flush(SqliteDatabase* database);

  // Must be called when something else may have changed the tables.
  void ForgetStored();

 private:
  // (series_id, cell_start)
  using Cell = std::pair<std::int64_t, std::int64_t>;
  using Sums = absl::flat_hash_map<Cell, UsageSum>;

  // The statements for a table, and what is known of its content. A sum of no
  // records is not in the table.
  struct Table {
    explicit Table(const SqliteRollupTable& table);

    const std::string select;
    const std::string insert;
    const std::string update;
    const std::string remove;
    Sums stored;
  };

  static absl::Status AddSums(const Sums& sums, Table* table,
                              SqliteDatabase* database);
  // Returns the stored sum; an empty one if there is none.
  static absl::StatusOr<UsageSum> Read(const Cell& cell, const Table& table,
                                       SqliteDatabase* database);
  // Replaces the stored sum, which is of `stored_records` records. DATA_LOSS if
  // the new one cannot be a sum of records.
  static absl::Status Write(const Cell& cell, std::int64_t stored_records,
                            const UsageSum& sum, const Table& table,
                            SqliteDatabase* database);

  Sums quarter_hours_;  // what was collected
  Table quarter_hour_table_{kQuarterHourTable};
  Table hour_table_{kHourTable};
};

// See StoreMaintenance::RebuildRollups. Runs its own transaction; after an
// error the caller must close the connection, and nothing has changed.
absl::StatusOr<Rebuild> RebuildSqliteRollups(SqliteDatabase* database,
                                             const CallLimits& limits);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_SQLITE_ROLLUPS_H_
