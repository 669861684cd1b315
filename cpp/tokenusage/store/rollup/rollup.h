// SPDX-License-Identifier: Apache-2.0

// Rollups: what both databases keep beside the records, for queries to read
// instead. A rollup is the sum of one series' records in one cell. There are
// two families: those without labels have quarter hours and hours of UTC, and
// those by label have quarter hours and months of UTC.
//
//   Rollups rollups = {{RollupKeyOf(record, event_time_nanos), sum}};
//   rollups.merge(CoarserRollupsOf(rollups));

#ifndef TOKENUSAGE_STORE_ROLLUP_ROLLUP_H_
#define TOKENUSAGE_STORE_ROLLUP_ROLLUP_H_

#include <cstdint>
#include <map>
#include <tuple>
#include <utility>

#include "tokenusage/record/usage_sum.h"
#include "tokenusage/store/query/field_values.h"
#include "tokenusage/store/query/query_plan.h"

namespace tokenusage {

// The lengths of cells. kMonthSeconds stands for all months, though it is the
// length of the longest.
inline constexpr std::int64_t kQuarterHourSeconds =
    kNanosPerQuarterHour / kNanosPerSecond;
inline constexpr std::int64_t kHourSeconds = kNanosPerHour / kNanosPerSecond;
inline constexpr std::int64_t kMonthSeconds = 31 * 24 * kHourSeconds;

// The cells that start in [start_seconds, end_seconds), since 1970.
struct CellRange {
  std::int64_t start_seconds = 0;
  std::int64_t end_seconds = 0;
};

// Returns the start of the quarter hour of an instant, in seconds.
constexpr std::int64_t QuarterHourOf(std::int64_t nanos) {
  return nanos / kNanosPerQuarterHour * kQuarterHourSeconds;
}

// Returns the start of the hour of an instant.
constexpr std::int64_t HourOf(std::int64_t seconds) {
  return seconds - seconds % kHourSeconds;
}

// Returns the start of the month of UTC of an instant, and of the next one.
std::int64_t MonthOf(std::int64_t seconds);
std::int64_t MonthAfter(std::int64_t seconds);

// Identifies a rollup of one project.
struct RollupKey {
  std::int64_t cell_seconds = 0;   // the cell's length
  std::int64_t start_seconds = 0;  // of the cell, since 1970
  SeriesNames series;

  friend bool operator==(const RollupKey& a, const RollupKey& b) {
    return std::tie(a.cell_seconds, a.start_seconds, a.series) ==
           std::tie(b.cell_seconds, b.start_seconds, b.series);
  }
  friend bool operator<(const RollupKey& a, const RollupKey& b) {
    return std::tie(a.cell_seconds, a.start_seconds, a.series) <
           std::tie(b.cell_seconds, b.start_seconds, b.series);
  }
  template <typename H>
  friend H AbslHashValue(H state, const RollupKey& key) {
    return H::combine(std::move(state), key.cell_seconds, key.start_seconds,
                      key.series);
  }
};

// Some of a project's rollups.
using Rollups = std::map<RollupKey, UsageSum>;

// Returns the key of the quarter hour in which a record is counted: that of the
// rollups by `labels` or, if these are empty, of the rollups without labels.
RollupKey RollupKeyOf(const v1::UsageRecord& record,
                      std::int64_t event_time_nanos,
                      const RollupLabels& labels = {});

// Returns the end of a rollup's cell, in seconds.
std::int64_t CellEnd(const RollupKey& key);

// Returns the hours and, by label, the months that these quarter hours add up
// to.
Rollups CoarserRollupsOf(const Rollups& quarter_hours);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_ROLLUP_ROLLUP_H_
