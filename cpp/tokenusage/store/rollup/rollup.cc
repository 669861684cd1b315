// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/rollup/rollup.h"

#include "tokenusage/store/query/label_set.h"

namespace tokenusage {

RollupKey RollupKeyOf(const v1::UsageRecord& record,
                      std::int64_t event_time_nanos,
                      const RollupLabels& labels) {
  RollupKey key = {kQuarterHourSeconds, QuarterHourOf(event_time_nanos),
                   SeriesNamesOf(record)};
  key.series.labels = LabelSetOf(labels, record);
  return key;
}

std::int64_t MonthOf(std::int64_t seconds) {
  return MonthStart(seconds * kNanosPerSecond) / kNanosPerSecond;
}

std::int64_t MonthAfter(std::int64_t seconds) {
  return NextMonthStart(seconds * kNanosPerSecond) / kNanosPerSecond;
}

std::int64_t CellEnd(const RollupKey& key) {
  return key.cell_seconds == kMonthSeconds
             ? MonthAfter(key.start_seconds)
             : key.start_seconds + key.cell_seconds;
}

Rollups CoarserRollupsOf(const Rollups& quarter_hours) {
  Rollups coarser;
  for (const auto& [key, sum] : quarter_hours) {
    const bool by_label = !key.series.labels.empty();
    const RollupKey whole = {
        by_label ? kMonthSeconds : kHourSeconds,
        by_label ? MonthOf(key.start_seconds) : HourOf(key.start_seconds),
        key.series};
    coarser[whole].Add(sum);
  }
  return coarser;
}

}  // namespace tokenusage
