// SPDX-License-Identifier: Apache-2.0

// The buckets into which a query divides its window.

#ifndef TOKENUSAGE_STORE_QUERY_TIME_BUCKETS_H_
#define TOKENUSAGE_STORE_QUERY_TIME_BUCKETS_H_

#include <cstdint>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "tokenusage/store/usage_query.h"
#include "tokenusage/v1/usage_reporting_service.pb.h"

namespace tokenusage {

// Divides a window into buckets without gap or overlap. Remembers the bucket of
// the last call, so times in order are fast. Not thread-safe; copies are
// independent.
class TimeBuckets {
 public:
  TimeBuckets(v1::TimeBucket bucket, absl::TimeZone time_zone,
              TimeWindow window);

  // Returns the bucket of `nanos`, which must lie in the window, cut to the
  // window.
  TimeWindow Containing(std::int64_t nanos);

 private:
  TimeWindow Uncut(std::int64_t nanos) const;
  TimeWindow CivilBucket(std::int64_t nanos) const;
  std::int64_t FirstInstant(absl::CivilDay day) const;

  v1::TimeBucket bucket_;
  absl::TimeZone time_zone_;
  TimeWindow window_;
  TimeWindow last_;  // empty before the first call
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_QUERY_TIME_BUCKETS_H_
