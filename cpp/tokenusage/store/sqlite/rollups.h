// SPDX-License-Identifier: Apache-2.0

// The sums per quarter and hour that are kept beside the records.

#ifndef TOKENUSAGE_STORE_SQLITE_ROLLUPS_H_
#define TOKENUSAGE_STORE_SQLITE_ROLLUPS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tokenusage/record/token_counts.h"
#include "tokenusage/store/sqlite/database.h"

namespace tokenusage {

// Collects what a transaction adds to the sums, so that each cell is written
// once, and remembers what it wrote, so that the next transaction need not read
// it. One thread at a time.
class SqliteRollups {
 public:
  void Add(std::int64_t series_id, std::int64_t event_time_nanos,
           const TokenCounts& counts);

  // How many quarters have something to add.
  std::size_t size() const { return quarters_.size(); }

  // Adds to the tables what was collected. Where this or the transaction fails,
  // the object must be thrown away.
  absl::Status Flush(SqliteDatabase* database);

  // To be called when something else has changed the tables.
  void ForgetStored();

 private:
  // (series_id, cell_start)
  using Cell = std::pair<std::int64_t, std::int64_t>;
  using Cells = absl::flat_hash_map<Cell, UsageSum>;

  // The statements for one of the two tables, and what it holds as far as that
  // is known.
  struct Table {
    explicit Table(const std::string& name);

    const std::string select;
    const std::string insert;
    const std::string update;
    Cells stored;
  };

  static absl::Status AddCells(const Cells& cells, Table* table,
                               SqliteDatabase* database);
  // The cell's sum, empty where there is no such cell.
  static absl::StatusOr<UsageSum> Read(const Cell& cell, const Table& table,
                                       SqliteDatabase* database);
  static absl::Status Write(const Cell& cell, const UsageSum& before,
                            const UsageSum& sum, const Table& table,
                            SqliteDatabase* database);

  Cells quarters_;  // what was collected
  Table quarter_table_{"rollup_quarter"};
  Table hour_table_{"rollup_hour"};
};

// The cell's sum, from a row whose columns from `first_column` on are
// record_count and kSumColumns. DATA_LOSS where one is not an amount.
absl::StatusOr<UsageSum> ReadRollup(const SqliteStatement& row,
                                    int first_column, const std::string& path);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_SQLITE_ROLLUPS_H_
