// SPDX-License-Identifier: Apache-2.0

// Decides which rollups and records answer a query.
//
//   for (const QuerySegment& segment :
//        PlanQuery(query, start_nanos, labels)) {
//     Read(segment.source, segment.window);
//   }

#ifndef TOKENUSAGE_STORE_QUERY_QUERY_PLAN_H_
#define TOKENUSAGE_STORE_QUERY_QUERY_PLAN_H_

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "tokenusage/base/proto_time.h"
#include "tokenusage/store/rollup_options.h"
#include "tokenusage/store/usage_query.h"

namespace tokenusage {

inline constexpr std::int64_t kNanosPerQuarterHour = 900 * kNanosPerSecond;
inline constexpr std::int64_t kNanosPerHour = 3600 * kNanosPerSecond;

// A span of time and the source that it is read from.
struct QuerySegment {
  // From the finest to the coarsest. All but the first are rollups.
  enum class Source { kRecords, kQuarterHours, kHours, kMonths };

  Source source;
  TimeWindow window;
};

// Divides [start_nanos, end of the query's window) into segments in order of
// time. A segment of rollups starts and ends with a whole rollup, and no rollup
// lies in two of the query's buckets.
//
// The inside is read from hours if all buckets start on the hour, otherwise
// from quarter hours; the ends are read from quarter hours, and from records if
// not even quarter hours fit. A query that needs the rollups by label
// (UsesRollupLabels) reads the inside from months of UTC if its buckets are
// such months or the whole window, otherwise from quarter hours. Minutes and
// other labels are read from records alone. `start_nanos` is the start of the
// window or of a bucket in it.
std::vector<QuerySegment> PlanQuery(const UsageQuery& query,
                                    std::int64_t start_nanos,
                                    const RollupLabels& labels);

// Returns whether the query uses labels, and only these.
bool UsesRollupLabels(const UsageQuery& query, const RollupLabels& labels);

// Returns the start of the month of UTC that holds an instant, and of the next
// one, in nanoseconds.
std::int64_t MonthStart(std::int64_t nanos);
std::int64_t NextMonthStart(std::int64_t nanos);

// The horizon of a project from which nothing was removed.
inline constexpr std::int64_t kNoHorizon =
    std::numeric_limits<std::int64_t>::min();

// Returns the horizon for the seconds that a database holds; kNoHorizon for 0.
std::int64_t HorizonNanos(std::int64_t horizon_seconds);

// Returns the horizon as a time; absl::InfinitePast() for kNoHorizon.
absl::Time HorizonTime(std::int64_t horizon_nanos);

// Returns INVALID_ARGUMENT unless `horizon` may be one: see
// StoreMaintenance::RemoveRecordsBefore.
absl::Status CheckIsHorizon(absl::Time horizon);

// The horizon of a project.
struct ProjectHorizon {
  std::string project;
  std::int64_t nanos = kNoHorizon;

  // The labels that the project's rollups are kept by, and the time since which
  // they are: never after the horizon.
  RollupLabels labels = {};
  std::int64_t labels_nanos = kNoHorizon;
};

// Returns FAILED_PRECONDITION if the query's plan needs records from before the
// horizon of one of its projects: because an end of its window lies within a
// quarter hour, or because of minutes or labels; or rollups by label from
// before there are any. Names the time from which the query would be answered,
// and the project that this is due to: the horizon or labels_nanos, of several
// such projects the latest.
absl::Status CheckHorizon(const UsageQuery& query,
                          const std::vector<ProjectHorizon>& horizons);

// Returns FAILED_PRECONDITION if the window starts before the horizon.
absl::Status CheckHorizon(const RecordQuery& query,
                          const ProjectHorizon& horizon);

// The project and time that an error of CheckHorizon names.
struct HorizonErrorInfo {
  std::string project;
  std::string horizon;  // or labels_nanos; such as `2026-08-01T00:00:00Z`
};

// Returns the project and horizon of such an error; empty texts for other
// errors.
HorizonErrorInfo HorizonOf(const absl::Status& error);

// Returns whether the query groups or filters by a label.
bool UsesLabels(const UsageQuery& query);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_QUERY_QUERY_PLAN_H_
