// SPDX-License-Identifier: Apache-2.0

// Which of the stored sums answer a query.

#ifndef TOKENUSAGE_STORE_QUERY_QUERY_PLAN_H_
#define TOKENUSAGE_STORE_QUERY_QUERY_PLAN_H_

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "tokenusage/base/proto_time.h"
#include "tokenusage/store/usage_query.h"

namespace tokenusage {

inline constexpr std::int64_t kNanosPerQuarter = 900 * kNanosPerSecond;
inline constexpr std::int64_t kNanosPerHour = 3600 * kNanosPerSecond;

// A span of time and what it is read from.
struct QuerySegment {
  enum class Source { kRecords, kQuarters, kHours };

  Source source;
  TimeWindow window;
};

// Divides [start_nanos, end of the query's window) into segments in order of
// time. Those of cells begin and end with whole cells, and no cell of theirs
// lies in two of the query's buckets.
//
// The inside is read from hours where all buckets begin on the hour, else from
// quarters; the ends from quarters, and from records where not even they fit.
// Minutes and labels are read from records alone. `start_nanos` is the window's
// start or that of a bucket in it.
std::vector<QuerySegment> PlanQuery(const UsageQuery& query,
                                    std::int64_t start_nanos);

// The horizon of a store from which nothing was removed.
inline constexpr std::int64_t kNoHorizon =
    std::numeric_limits<std::int64_t>::min();

// INVALID_ARGUMENT unless `horizon` may be one: see
// UsageStore::RemoveRecordsBefore.
absl::Status CheckIsHorizon(absl::Time horizon);

// FAILED_PRECONDITION where the query needs records from before the horizon: by
// its plan, so because of an end of its window that lies within a quarter of an
// hour, of minutes, or of a label.
absl::Status CheckHorizon(const UsageQuery& query, std::int64_t horizon_nanos);

// FAILED_PRECONDITION where the window starts before the horizon.
absl::Status CheckHorizon(const RecordQuery& query, std::int64_t horizon_nanos);

// The horizon that an error of CheckHorizon speaks of, as
// `2026-08-01T00:00:00Z`; empty for other errors.
std::string HorizonOf(const absl::Status& error);

// Whether the query groups or filters by a label.
bool UsesLabels(const UsageQuery& query);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_QUERY_QUERY_PLAN_H_
