// Which of the stored sums answer a query.

#ifndef TOKENUSAGE_STORE_QUERY_PLAN_H_
#define TOKENUSAGE_STORE_QUERY_PLAN_H_

#include <cstdint>
#include <vector>

#include "tokenusage/store/usage_query.h"

namespace tokenusage {

inline constexpr std::int64_t kNanosPerSecond = 1'000'000'000;
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

// Whether the query groups or filters by a label.
bool UsesLabels(const UsageQuery& query);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_QUERY_PLAN_H_
