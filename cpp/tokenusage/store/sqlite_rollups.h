// The sums per quarter and hour that are kept beside the records.

#ifndef TOKENUSAGE_STORE_SQLITE_ROLLUPS_H_
#define TOKENUSAGE_STORE_SQLITE_ROLLUPS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "tokenusage/record/token_counts.h"
#include "tokenusage/store/sqlite_database.h"

namespace tokenusage {

// Collects what a transaction adds to the sums, so that each cell is written
// once. One thread at a time.
class SqliteRollups {
 public:
  // Gives the connection the SQL function that adds amounts.
  static absl::Status Register(SqliteDatabase* database);

  void Add(std::int64_t series_id, std::int64_t event_time_nanos,
           const TokenCounts& counts);

  // How many quarters have something to add.
  std::size_t size() const { return quarters_.size(); }

  // Adds to the tables what was collected, and forgets it.
  absl::Status Flush(SqliteDatabase* database);

 private:
  // (series_id, cell_start)
  using Cell = std::pair<std::int64_t, std::int64_t>;
  using Cells = absl::flat_hash_map<Cell, UsageSum>;

  static absl::Status AddCells(const std::string& sql, const Cells& cells,
                               SqliteDatabase* database);

  Cells quarters_;
};

// The cell's sum, from a row whose columns from `first_column` on are
// record_count and kSumColumns. DATA_LOSS where one is not an amount.
absl::StatusOr<UsageSum> ReadRollup(const SqliteStatement& row,
                                    int first_column, const std::string& path);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_SQLITE_ROLLUPS_H_
