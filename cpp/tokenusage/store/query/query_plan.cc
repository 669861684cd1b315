// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/query/query_plan.h"

#include <algorithm>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"

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

// Returns the largest rollups of which none spans the instant `seconds`.
Source CoarsestAt(std::int64_t seconds) {
  if (seconds % 3600 == 0) return Source::kHours;
  return seconds % 900 == 0 ? Source::kQuarterHours : Source::kRecords;
}

Source Finer(Source a, Source b) { return std::min(a, b); }

// Returns the largest rollups that fit all midnights of a zone in the window. A
// midnight is one at some offset of the zone; if clocks skip it, the day starts
// with the transition. So only the zone's transitions have to be looked at.
Source CoarsestForDays(absl::TimeZone zone, TimeWindow window) {
  absl::Time at = absl::FromUnixNanos(window.start_nanos);
  const absl::Time end = absl::FromUnixNanos(window.end_nanos);
  Source source = CoarsestAt(zone.At(at).offset);
  absl::TimeZone::CivilTransition transition;
  while (zone.NextTransition(at, &transition)) {
    const bool forward = transition.from < transition.to;
    const auto info = zone.At(forward ? transition.from : transition.to);
    at = info.trans;
    if (at >= end) break;
    source = Finer(source, CoarsestAt(zone.At(at).offset));
    const absl::CivilSecond midnight(absl::CivilDay(transition.to));
    if (forward && transition.from <= midnight) {
      source = Finer(source, CoarsestAt(absl::ToUnixSeconds(at)));
    }
  }
  return source;
}

// Returns the largest rollups that fit all borders between buckets.
Source CoarsestSource(const UsageQuery& query) {
  if (UsesLabels(query)) return Source::kRecords;
  switch (query.bucket) {
    case v1::TIME_BUCKET_MINUTE:
      return Source::kRecords;
    case v1::TIME_BUCKET_DAY:
    case v1::TIME_BUCKET_WEEK:
    case v1::TIME_BUCKET_MONTH:
      return CoarsestForDays(query.time_zone, query.window);
    default:
      return Source::kHours;
  }
}

class Planner {
 public:
  // Reads the window from `source` as far as its rollups fit, and what is left
  // at the ends from the next smaller one.
  void Add(TimeWindow window, Source source) {
    if (window.start_nanos >= window.end_nanos) return;
    if (source == Source::kRecords) {
      segments_.push_back({source, window});
      return;
    }
    const bool hours = source == Source::kHours;
    const std::int64_t unit = hours ? kNanosPerHour : kNanosPerQuarterHour;
    const Source smaller = hours ? Source::kQuarterHours : Source::kRecords;
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

constexpr char kHorizonPayload[] = "tokenusage/horizon";
constexpr char kProjectPayload[] = "tokenusage/project";

absl::Status BeforeHorizonError(const ProjectHorizon& horizon,
                                const char* advice) {
  const std::string time =
      absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::FromUnixNanos(horizon.nanos),
                       absl::UTCTimeZone());
  absl::Status error = absl::FailedPreconditionError(
      absl::StrCat("start_time: the records of project \"", horizon.project,
                   "\" before ", time, " were removed: ", advice));
  error.SetPayload(kHorizonPayload, absl::Cord(time));
  error.SetPayload(kProjectPayload, absl::Cord(horizon.project));
  return error;
}

std::string PayloadOf(const absl::Status& error, const char* type) {
  const auto payload = error.GetPayload(type);
  return payload ? std::string(*payload) : "";
}

}  // namespace

absl::Time HorizonTime(std::int64_t horizon_nanos) {
  return horizon_nanos == kNoHorizon ? absl::InfinitePast()
                                     : absl::FromUnixNanos(horizon_nanos);
}

absl::Status CheckIsHorizon(absl::Time horizon) {
  const std::int64_t seconds = absl::ToUnixSeconds(horizon);
  if (seconds >= kMinTimeSeconds && seconds <= kMaxTimeSeconds &&
      absl::FromUnixSeconds(seconds) == horizon && seconds % 3600 == 0) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "horizon: expected a whole hour from 2000-01-01 to 2200-01-01, found ",
      absl::FormatTime(horizon, absl::UTCTimeZone())));
}

absl::Status CheckHorizon(const UsageQuery& query,
                          const ProjectHorizon& horizon) {
  if (query.window.start_nanos >= horizon.nanos) return absl::OkStatus();
  for (const QuerySegment& segment :
       PlanQuery(query, query.window.start_nanos)) {
    if (segment.source == Source::kRecords &&
        segment.window.start_nanos < horizon.nanos) {
      return BeforeHorizonError(
          horizon,
          "before it, windows start and end on a quarter hour, buckets "
          "are hours or longer, and there are no labels");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckHorizon(const RecordQuery& query,
                          const ProjectHorizon& horizon) {
  if (query.window.start_nanos >= horizon.nanos) return absl::OkStatus();
  return BeforeHorizonError(horizon, "only later ones can be listed");
}

HorizonErrorInfo HorizonOf(const absl::Status& error) {
  return {PayloadOf(error, kProjectPayload), PayloadOf(error, kHorizonPayload)};
}

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
