// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/postgres/query.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tokenusage/base/status_macros.h"
#include "tokenusage/record/record_counts.h"
#include "tokenusage/store/deadline.h"
#include "tokenusage/store/postgres/table/rollups.h"
#include "tokenusage/store/postgres/table/series.h"
#include "tokenusage/store/postgres/table/sql.h"
#include "tokenusage/store/query/field_values.h"
#include "tokenusage/store/query/query_plan.h"
#include "tokenusage/store/query/row_aggregator.h"
#include "tokenusage/store/query/time_buckets.h"
#include "tokenusage/store/rollup/stored_record.h"
#include "tokenusage/store/usage_store.h"

namespace tokenusage {
namespace {

// The largest number of buckets for which the database sums rollups. Beyond it
// they are read one by one: the list of the buckets' starts would cost more
// than it saves.
constexpr std::size_t kMaxBuckets = 4000;

// Columns of postgres_sql::SelectTotals.
constexpr int kTimeColumn = 0;
constexpr int kNamesColumn = 1;
constexpr int kLabelsColumn = 4;
constexpr int kSumColumn = 5;
constexpr int kRecordColumn = kSumColumn + postgres_sql::kSumColumns;

// One query's work on one project.
class ProjectRun {
 public:
  // Adds the totals to `rows`.
  ProjectRun(PostgresConnection* connection, const UsageQuery& query,
             const ProjectHorizon& project, RowAggregator* rows)
      : connection_(*connection),
        query_(query),
        project_(project.project),
        labels_(project.labels),
        by_label_(UsesRollupLabels(query, labels_)),
        rows_(*rows) {}

  absl::Status Run();

 private:
  absl::Status ScanRecords(TimeWindow window);
  absl::Status SelectTotals(const std::vector<QuerySegment>& plan);
  // Finds the label sets that pass the filters.
  absl::Status LoadLabelSets();
  PostgresParams TotalsParams(const std::vector<QuerySegment>& plan) const;
  void AddFilter(UsageField::Kind kind, PostgresParams* params) const;
  // Returns the starts of the buckets in seconds; nullopt to read rollups one
  // by one: if there are too many buckets, or buckets are hours.
  std::optional<std::vector<std::int64_t>> BucketStarts() const;
  bool GroupsBy(UsageField::Kind kind) const;

  absl::StatusOr<bool> AddRow(const PostgresResult& row);
  absl::Status AddTotals(std::int64_t time, const PostgresResult& row);
  absl::Status AddRecord(std::int64_t time, std::string_view bytes);

  PostgresConnection& connection_;
  const UsageQuery& query_;
  const std::string& project_;
  const RollupLabels& labels_;
  const bool by_label_;
  RowAggregator& rows_;
  std::optional<std::vector<std::string>> label_sets_;  // empty: all of them
  v1::UsageRecord record_;  // reused to avoid reallocation
};

absl::Status ProjectRun::Run() {
  const std::vector<QuerySegment> plan =
      PlanQuery(query_, rows_.start_nanos(), labels_);
  const bool records_only =
      plan.size() == 1 && plan[0].source == QuerySegment::Source::kRecords;
  if (records_only) return ScanRecords(plan[0].window);
  if (by_label_) TOKENUSAGE_RETURN_IF_ERROR(LoadLabelSets());
  return plan.empty() ? absl::OkStatus() : SelectTotals(plan);
}

absl::Status ProjectRun::LoadLabelSets() {
  const bool filtered =
      std::any_of(query_.filters.begin(), query_.filters.end(),
                  [](const UsageFieldFilter& filter) {
                    return filter.field.kind == UsageField::Kind::kLabel;
                  });
  if (!filtered) return absl::OkStatus();
  label_sets_.emplace();
  return connection_.Stream(
      postgres_sql::kSelectLabelSets, PostgresParams(project_), query_.limits,
      [this](const PostgresResult& row) -> absl::StatusOr<bool> {
        const std::string_view label_set = row.Bytes(0, 0);
        if (LabelsPassAll(query_.filters, label_set, labels_)) {
          label_sets_->emplace_back(label_set);
        }
        return true;
      });
}

absl::Status ProjectRun::ScanRecords(TimeWindow window) {
  return connection_.Stream(
      postgres_sql::kScanRecords,
      PostgresParams(project_, window.start_nanos, window.end_nanos),
      query_.limits, [this](const PostgresResult& row) -> absl::StatusOr<bool> {
        const std::int64_t time = row.Int64(0, 0);
        if (time >= rows_.end_nanos()) return false;
        TOKENUSAGE_RETURN_IF_ERROR(AddRecord(time, row.Bytes(0, 1)));
        return true;
      });
}

absl::Status ProjectRun::SelectTotals(const std::vector<QuerySegment>& plan) {
  const postgres_sql::TotalsGroup group = {
      GroupsBy(UsageField::Kind::kOperation),
      GroupsBy(UsageField::Kind::kProvider),
      GroupsBy(UsageField::Kind::kModel)};
  return connection_.Stream(
      postgres_sql::SelectTotals(group, by_label_
                                            ? postgres_sql::Family::kByLabel
                                            : postgres_sql::Family::kPlain),
      TotalsParams(plan), query_.limits,
      [this](const PostgresResult& row) { return AddRow(row); });
}

bool ProjectRun::GroupsBy(UsageField::Kind kind) const {
  return std::any_of(
      query_.group_by.begin(), query_.group_by.end(),
      [kind](const UsageField& field) { return field.kind == kind; });
}

PostgresParams ProjectRun::TotalsParams(
    const std::vector<QuerySegment>& plan) const {
  using Source = QuerySegment::Source;
  // A plan has at most one segment of hours or months, and at each end at most
  // one of quarter hours and one of records. The ranges are in the parameters'
  // order and units.
  std::array<std::pair<std::int64_t, std::int64_t>, 5> ranges;
  std::size_t quarter_hours = 1;
  std::size_t records = 3;
  for (const QuerySegment& segment : plan) {
    const bool raw = segment.source == Source::kRecords;
    const std::int64_t unit = raw ? 1 : kNanosPerSecond;
    const bool inside =
        segment.source == Source::kHours || segment.source == Source::kMonths;
    const std::size_t at = inside ? 0 : raw ? records++ : quarter_hours++;
    ranges[at] = {segment.window.start_nanos / unit,
                  segment.window.end_nanos / unit};
  }
  PostgresParams params(project_);
  for (const auto& [start, end] : ranges) {
    params.Add(start);
    params.Add(end);
  }
  AddFilter(UsageField::Kind::kOperation, &params);
  AddFilter(UsageField::Kind::kProvider, &params);
  AddFilter(UsageField::Kind::kModel, &params);
  const std::optional<std::vector<std::int64_t>> starts = BucketStarts();
  params.Add(starts);
  if (starts && !query_.order && !by_label_) {
    // A page of rows and one more. The statement adds twice the number of
    // series to this limit: once for rows of the first bucket that precede the
    // page, and once for the last bucket, whose rows it may order in another
    // way. So all rows beyond the limit are beyond the page.
    params.Add(query_.page_size + 1);
  } else {
    params.AddNull();
  }
  if (by_label_) params.Add(label_sets_);
  return params;
}

void ProjectRun::AddFilter(UsageField::Kind kind,
                           PostgresParams* params) const {
  for (const UsageFieldFilter& filter : query_.filters) {
    if (filter.field.kind == kind) return params->Add(filter.values);
  }
  params->AddNull();
}

std::optional<std::vector<std::int64_t>> ProjectRun::BucketStarts() const {
  if (query_.bucket == v1::TIME_BUCKET_HOUR) return std::nullopt;
  TimeBuckets buckets(query_.bucket, query_.time_zone, query_.window);
  std::vector<std::int64_t> starts;
  for (std::int64_t at = rows_.start_nanos(); at < query_.window.end_nanos;
       at = buckets.Containing(at).end_nanos) {
    if (starts.size() == kMaxBuckets) return std::nullopt;
    starts.push_back(at / kNanosPerSecond);
  }
  return starts;
}

absl::StatusOr<bool> ProjectRun::AddRow(const PostgresResult& row) {
  const std::int64_t time = row.Int64(0, kTimeColumn);
  if (time >= rows_.end_nanos()) return false;
  const bool is_totals = row.IsNull(0, kRecordColumn);
  TOKENUSAGE_RETURN_IF_ERROR(
      is_totals ? AddTotals(time, row)
                : AddRecord(time, row.Bytes(0, kRecordColumn)));
  return true;
}

absl::Status ProjectRun::AddTotals(std::int64_t time,
                                   const PostgresResult& row) {
  SeriesNames names = SeriesOf(row, 0, kNamesColumn);
  if (by_label_) names.labels = std::string(row.Bytes(0, kLabelsColumn));
  UsageSum* const sum = rows_.SumOf(
      time, EncodedGroupOf(query_.group_by, project_, names, labels_));
  if (sum == nullptr) return absl::OkStatus();
  return AddPostgresSum(connection_, row, kSumColumn, sum);
}

absl::Status ProjectRun::AddRecord(std::int64_t time, std::string_view bytes) {
  TOKENUSAGE_RETURN_IF_ERROR(
      ReadStoredRecord(connection_.display(), bytes, &record_));
  if (!Counts(record_)) return absl::OkStatus();
  if (!PassesAll(query_.filters, record_)) return absl::OkStatus();
  UsageSum* const sum =
      rows_.SumOf(time, EncodedGroupOf(query_.group_by, project_, record_));
  if (sum != nullptr) sum->Add(CountRecord(record_));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<UsageQueryPage> QueryPostgres(
    PostgresConnection* connection, const UsageQuery& query,
    const std::vector<ProjectHorizon>& projects) {
  RowAggregator rows(query);
  for (const ProjectHorizon& project : projects) {
    TOKENUSAGE_RETURN_IF_ERROR(CheckLimits(query.limits));
    TOKENUSAGE_RETURN_IF_ERROR(
        ProjectRun(connection, query, project, &rows).Run());
  }
  return rows.Finish();
}

}  // namespace tokenusage
