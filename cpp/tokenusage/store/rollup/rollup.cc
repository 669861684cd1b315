// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/rollup/rollup.h"

namespace tokenusage {

RollupKey RollupKeyOf(const v1::UsageRecord& record,
                      std::int64_t event_time_nanos) {
  return {kQuarterHourSeconds, QuarterHourOf(event_time_nanos),
          SeriesNamesOf(record)};
}

Rollups HoursOf(const Rollups& quarter_hours) {
  Rollups hours;
  for (const auto& [key, sum] : quarter_hours) {
    hours[{kHourSeconds, HourOf(key.start_seconds), key.series}].Add(sum);
  }
  return hours;
}

}  // namespace tokenusage
