#include "tokenusage/store/query_plan.h"

#include <algorithm>

#include "tokenusage/store/time_buckets.h"

namespace tokenusage {
namespace {

using Source = QuerySegment::Source;

// Times are from 2000 on, so division rounds down.
std::int64_t RoundDown(std::int64_t nanos, std::int64_t unit) {
  return nanos - nanos % unit;
}

std::int64_t RoundUp(std::int64_t nanos, std::int64_t unit) {
  return RoundDown(nanos + unit - 1, unit);
}

// The largest cells that fit all borders between buckets in the window.
Source CoarsestSource(const UsageQuery& query) {
  if (UsesLabels(query)) return Source::kRecords;
  switch (query.bucket) {
    case v1::TIME_BUCKET_MINUTE:
      return Source::kRecords;
    case v1::TIME_BUCKET_DAY:
    case v1::TIME_BUCKET_WEEK:
    case v1::TIME_BUCKET_MONTH:
      break;
    default:
      return Source::kHours;
  }
  Source source = Source::kHours;
  TimeBuckets buckets(query.bucket, query.time_zone, query.window);
  std::int64_t border = buckets.Containing(query.window.start_nanos).end_nanos;
  for (; border < query.window.end_nanos;
       border = buckets.Containing(border).end_nanos) {
    if (border % kNanosPerQuarter != 0) return Source::kRecords;
    if (border % kNanosPerHour != 0) source = Source::kQuarters;
  }
  return source;
}

class Planner {
 public:
  // Reads the window from `source` as far as its cells fit, and what is left at
  // the ends from the next smaller one.
  void Add(TimeWindow window, Source source) {
    if (window.start_nanos >= window.end_nanos) return;
    if (source == Source::kRecords) {
      segments_.push_back({source, window});
      return;
    }
    const bool hours = source == Source::kHours;
    const std::int64_t unit = hours ? kNanosPerHour : kNanosPerQuarter;
    const Source smaller = hours ? Source::kQuarters : Source::kRecords;
    const TimeWindow inside = {RoundUp(window.start_nanos, unit),
                               RoundDown(window.end_nanos, unit)};
    if (inside.start_nanos >= inside.end_nanos) {
      Add(window, smaller);
      return;
    }
    Add({window.start_nanos, inside.start_nanos}, smaller);
    segments_.push_back({source, inside});
    Add({inside.end_nanos, window.end_nanos}, smaller);
  }

  std::vector<QuerySegment> Finish() { return std::move(segments_); }

 private:
  std::vector<QuerySegment> segments_;
};

}  // namespace

bool UsesLabels(const UsageQuery& query) {
  const auto is_label = [](const UsageField& field) {
    return field.kind == UsageField::Kind::kLabel;
  };
  return std::any_of(query.group_by.begin(), query.group_by.end(), is_label) ||
         std::any_of(query.filters.begin(), query.filters.end(),
                     [&](const UsageFieldFilter& filter) {
                       return is_label(filter.field);
                     });
}

std::vector<QuerySegment> PlanQuery(const UsageQuery& query,
                                    std::int64_t start_nanos) {
  Planner planner;
  planner.Add({start_nanos, query.window.end_nanos}, CoarsestSource(query));
  return planner.Finish();
}

}  // namespace tokenusage
