// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/query/query_plan.h"

#include <algorithm>
#include <array>
#include <optional>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/civil_time.h"

namespace tokenusage {
namespace {

using Source = QuerySegment::Source;

// Returns the start of the cell that holds an instant. Times are from 2000 on,
// so division rounds down.
std::int64_t RoundDown(std::int64_t nanos, Source source) {
  if (source == Source::kMonths) return MonthStart(nanos);
  return nanos - nanos % (source == Source::kHours ? kNanosPerHour
                                                   : kNanosPerQuarterHour);
}

// Returns the start of the first cell that starts at or after an instant.
std::int64_t RoundUp(std::int64_t nanos, Source source) {
  const std::int64_t start = RoundDown(nanos, source);
  if (start == nanos) return nanos;
  if (source == Source::kMonths) return NextMonthStart(nanos);
  return RoundDown(
      start + (source == Source::kHours ? kNanosPerHour : kNanosPerQuarterHour),
      source);
}

// Returns the largest rollups none of which spans the instant `seconds`.
Source CoarsestAt(std::int64_t seconds) {
  if (seconds % 3600 == 0) return Source::kHours;
  return seconds % 900 == 0 ? Source::kQuarterHours : Source::kRecords;
}

Source Finer(Source a, Source b) { return std::min(a, b); }

// Returns the largest rollups none of which spans the start of a day in the
// window. A day starts at midnight, by one of the zone's offsets, or with a
// transition if clocks skip midnight. So it is enough to check transitions.
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

// Returns the largest rollups without labels that fit all borders between
// buckets.
Source CoarsestSource(const UsageQuery& query) {
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

// Does the same for rollups by label.
Source CoarsestByLabel(const UsageQuery& query) {
  if (query.bucket == v1::TIME_BUCKET_NONE ||
      (query.bucket == v1::TIME_BUCKET_MONTH &&
       query.time_zone == absl::UTCTimeZone())) {
    return Source::kMonths;
  }
  return Finer(CoarsestSource(query), Source::kQuarterHours);
}

// Returns the next smaller cells of the same kind of rollups.
Source SmallerThan(Source source) {
  return source == Source::kQuarterHours ? Source::kRecords
                                         : Source::kQuarterHours;
}

// Adds segments that read the window from `source` as far as its rollups fit,
// and what is left at the ends from the next smaller one.
void AddSegments(TimeWindow window, Source source,
                 std::vector<QuerySegment>* plan) {
  if (window.start_nanos >= window.end_nanos) return;
  if (source == Source::kRecords) {
    plan->push_back({source, window});
    return;
  }
  const Source smaller = SmallerThan(source);
  const TimeWindow inside = {RoundUp(window.start_nanos, source),
                             RoundDown(window.end_nanos, source)};
  if (inside.start_nanos >= inside.end_nanos) {
    AddSegments(window, smaller, plan);
    return;
  }
  AddSegments({window.start_nanos, inside.start_nanos}, smaller, plan);
  plan->push_back({source, inside});
  AddSegments({inside.end_nanos, window.end_nanos}, smaller, plan);
}

bool IsLabel(const UsageField& field) {
  return field.kind == UsageField::Kind::kLabel;
}

// Returns whether `matches` holds for a field that the query groups or filters
// by.
template <typename Matches>
bool AnyField(const UsageQuery& query, const Matches& matches) {
  return std::any_of(query.group_by.begin(), query.group_by.end(), matches) ||
         std::any_of(query.filters.begin(), query.filters.end(),
                     [&](const UsageFieldFilter& filter) {
                       return matches(filter.field);
                     });
}

constexpr char kHorizonPayload[] = "tokenusage/horizon";
constexpr char kProjectPayload[] = "tokenusage/project";

// Returns the error for a query that would be answered from `nanos` on.
absl::Status BeforeHorizonError(const std::string& project, std::int64_t nanos,
                                const std::string& advice) {
  const std::string time = absl::FormatTime(
      "%Y-%m-%dT%H:%M:%SZ", absl::FromUnixNanos(nanos), absl::UTCTimeZone());
  absl::Status error = absl::FailedPreconditionError(
      absl::StrCat("start_time: the records of project \"", project,
                   "\" before ", time, " were removed: ", advice));
  error.SetPayload(kHorizonPayload, absl::Cord(time));
  error.SetPayload(kProjectPayload, absl::Cord(project));
  return error;
}

// Returns the error for a query that needs records.
absl::Status NeedsRecordsError(const ProjectHorizon& horizon) {
  const std::string labels =
      horizon.labels.empty()
          ? "there are no labels"
          : "no other labels than " + absl::StrJoin(horizon.labels, ", ");
  return BeforeHorizonError(
      horizon.project, horizon.nanos,
      absl::StrCat("before it, windows start and end on a quarter hour, "
                   "buckets are hours or longer, and ",
                   labels));
}

bool ReadsRecordsBefore(const std::vector<QuerySegment>& plan,
                        std::int64_t nanos) {
  return std::any_of(plan.begin(), plan.end(),
                     [nanos](const QuerySegment& segment) {
                       return segment.source == Source::kRecords &&
                              segment.window.start_nanos < nanos;
                     });
}

std::string PayloadOf(const absl::Status& error, const char* type) {
  const auto payload = error.GetPayload(type);
  return payload ? std::string(*payload) : "";
}

}  // namespace

std::int64_t HorizonNanos(std::int64_t horizon_seconds) {
  return horizon_seconds == 0 ? kNoHorizon : horizon_seconds * kNanosPerSecond;
}

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

std::int64_t MonthStart(std::int64_t nanos) {
  const absl::CivilMonth month =
      absl::ToCivilMonth(absl::FromUnixNanos(nanos), absl::UTCTimeZone());
  return absl::ToUnixNanos(absl::FromCivil(month, absl::UTCTimeZone()));
}

std::int64_t NextMonthStart(std::int64_t nanos) {
  const absl::CivilMonth month =
      absl::ToCivilMonth(absl::FromUnixNanos(nanos), absl::UTCTimeZone());
  return absl::ToUnixNanos(absl::FromCivil(month + 1, absl::UTCTimeZone()));
}

absl::Status CheckHorizon(const UsageQuery& query,
                          const std::vector<ProjectHorizon>& horizons) {
  const std::int64_t start = query.window.start_nanos;
  // Without rollups by label, and with.
  std::array<std::optional<std::vector<QuerySegment>>, 2> plans;
  std::int64_t latest = start;
  absl::Status error;
  for (const ProjectHorizon& horizon : horizons) {
    if (horizon.nanos <= latest) continue;
    const bool by_label = UsesRollupLabels(query, horizon.labels);
    auto& plan = plans[by_label ? 1 : 0];
    if (!plan) plan = PlanQuery(query, start, horizon.labels);
    if (ReadsRecordsBefore(*plan, horizon.nanos)) {
      latest = horizon.nanos;
      error = NeedsRecordsError(horizon);
    } else if (by_label && horizon.labels_nanos > latest) {
      latest = horizon.labels_nanos;
      error = BeforeHorizonError(horizon.project, latest,
                                 "only later ones are in the totals by label");
    }
  }
  return error;
}

absl::Status CheckHorizon(const RecordQuery& query,
                          const ProjectHorizon& horizon) {
  if (query.window.start_nanos >= horizon.nanos) return absl::OkStatus();
  return BeforeHorizonError(horizon.project, horizon.nanos,
                            "only later ones can be listed");
}

HorizonErrorInfo HorizonOf(const absl::Status& error) {
  return {PayloadOf(error, kProjectPayload), PayloadOf(error, kHorizonPayload)};
}

bool UsesLabels(const UsageQuery& query) {
  return AnyField(query,
                  [](const UsageField& field) { return IsLabel(field); });
}

bool UsesRollupLabels(const UsageQuery& query, const RollupLabels& labels) {
  return UsesLabels(query) && !AnyField(query, [&](const UsageField& field) {
           return IsLabel(field) &&
                  !std::binary_search(labels.begin(), labels.end(),
                                      field.label_key);
         });
}

std::vector<QuerySegment> PlanQuery(const UsageQuery& query,
                                    std::int64_t start_nanos,
                                    const RollupLabels& labels) {
  const Source source = !UsesLabels(query) ? CoarsestSource(query)
                        : UsesRollupLabels(query, labels)
                            ? CoarsestByLabel(query)
                            : Source::kRecords;
  std::vector<QuerySegment> plan;
  AddSegments({start_nanos, query.window.end_nanos}, source, &plan);
  return plan;
}

}  // namespace tokenusage
