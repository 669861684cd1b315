// SPDX-License-Identifier: Apache-2.0

// What SQLite alone does with the same tables, in one thread: the yardstick.

#ifndef TOKENUSAGE_TESTS_BENCHMARK_LOAD_BARE_SQLITE_H_
#define TOKENUSAGE_TESTS_BENCHMARK_LOAD_BARE_SQLITE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/numeric/int128.h"
#include "sqlite3.h"
#include "tokenusage/v1/usage_record.pb.h"
#include "tokenusage/v1/usage_reporting_service.pb.h"

namespace tokenusage::load {

// How many sums a cell has.
inline constexpr std::size_t kSums = 5;

// Stores records in a new database and keeps its sums, with the few statements
// that takes. The file must not exist; its tables are those of a SQLite store.
// One thread at a time. Aborts where SQLite fails.
class BareWriter {
 public:
  explicit BareWriter(const std::string& path);
  ~BareWriter();

  BareWriter(const BareWriter&) = delete;
  BareWriter& operator=(const BareWriter&) = delete;

  void Begin();
  void Add(const v1::UsageRecord& record);
  void Commit();

 private:
  struct Cell {
    std::int64_t count = 0;
    std::array<absl::int128, kSums> sums{};
  };
  // By series and start.
  using Cells = std::map<std::pair<std::int64_t, std::int64_t>, Cell>;

  std::int64_t SeriesOf(const v1::UsageRecord& record);
  void Insert(const v1::UsageRecord& record, std::int64_t series);
  void Write(sqlite3_stmt* statement, Cells* cells);

  sqlite3* database_ = nullptr;
  sqlite3_stmt* insert_ = nullptr;
  sqlite3_stmt* add_series_ = nullptr;
  sqlite3_stmt* quarter_ = nullptr;
  sqlite3_stmt* hour_ = nullptr;
  std::unordered_map<std::string, std::int64_t> series_;
  Cells quarters_;
  Cells hours_;
  std::string bytes_;
};

// Stores the batches by a BareWriter, one commit each. Returns the rows per
// second.
double RunBareInserts(const std::string& path,
                      const std::vector<v1::ReportUsageRequest>& batches);

// Adds up the hourly cells of [start, end), in seconds, by day, as often as
// fits into `seconds`, `pause` seconds apart. Returns the time of each scan, in
// seconds. Aborts where SQLite fails.
std::vector<double> RunBareScans(const std::string& path, std::int64_t start,
                                 std::int64_t end, double seconds,
                                 double pause);

}  // namespace tokenusage::load

#endif  // TOKENUSAGE_TESTS_BENCHMARK_LOAD_BARE_SQLITE_H_
