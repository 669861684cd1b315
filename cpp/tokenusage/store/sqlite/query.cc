// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/sqlite/query.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/record/record_counts.h"
#include "tokenusage/store/deadline.h"
#include "tokenusage/store/query/field_values.h"
#include "tokenusage/store/query/query_plan.h"
#include "tokenusage/store/query/row_aggregator.h"
#include "tokenusage/store/rollup/stored_record.h"
#include "tokenusage/store/sqlite/horizon.h"
#include "tokenusage/store/sqlite/rollups.h"
#include "tokenusage/store/sqlite/series.h"

namespace tokenusage {
namespace {

// One query's work.
class QueryRun {
 public:
  QueryRun(SqliteDatabase* database, const UsageQuery& query,
           std::int64_t project_id)
      : database_(*database),
        query_(query),
        project_id_(project_id),
        uses_labels_(UsesLabels(query)),
        deadline_(query.limits),
        rows_(query) {}

  absl::StatusOr<UsageQueryPage> Run();

 private:
  // Finds the series that pass the filters, and the group of each.
  absl::Status LoadSeries();
  bool PassesNames(const SeriesNames& names) const;
  GroupKey GroupOf(const SeriesNames& names) const;

  absl::Status AddRollups(const SqliteRollupTable& table, TimeWindow window);
  absl::Status AddRollupsOf(const EncodedGroup& group, SqliteStatement* select);
  absl::Status AddRecords(TimeWindow window);
  absl::Status AddRecord(const EncodedGroup& group, std::int64_t event_time,
                         std::string_view bytes);

  SqliteDatabase& database_;
  const UsageQuery& query_;
  const std::int64_t project_id_;
  const bool uses_labels_;
  DeadlineCheck deadline_;
  RowAggregator rows_;
  // By series_id. If the query uses labels, a group is computed per record.
  absl::flat_hash_map<std::int64_t, EncodedGroup> groups_;
  v1::UsageRecord record_;  // reused to avoid reallocation
};

absl::StatusOr<UsageQueryPage> QueryRun::Run() {
  TOKENUSAGE_RETURN_IF_ERROR(LoadSeries());
  if (groups_.empty()) return rows_.Finish();
  for (const QuerySegment& segment : PlanQuery(query_, rows_.start_nanos())) {
    absl::Status status;
    switch (segment.source) {
      case QuerySegment::Source::kRecords:
        status = AddRecords(segment.window);
        break;
      case QuerySegment::Source::kQuarterHours:
        status = AddRollups(kQuarterHourTable, segment.window);
        break;
      case QuerySegment::Source::kHours:
        status = AddRollups(kHourTable, segment.window);
        break;
    }
    TOKENUSAGE_RETURN_IF_ERROR(status);
  }
  return rows_.Finish();
}

absl::Status QueryRun::LoadSeries() {
  return ForEachSeries(
      &database_, project_id_,
      [this](std::int64_t series_id, const SeriesNames& names) {
        if (!PassesNames(names)) return;
        groups_.emplace(series_id, EncodedGroup(GroupOf(names)));
      });
}

bool QueryRun::PassesNames(const SeriesNames& names) const {
  return std::all_of(query_.filters.begin(), query_.filters.end(),
                     [&names](const UsageFieldFilter& filter) {
                       return filter.field.kind == UsageField::Kind::kLabel ||
                              Passes(filter, FieldValue(filter.field, names));
                     });
}

GroupKey QueryRun::GroupOf(const SeriesNames& names) const {
  if (uses_labels_) return {};
  GroupKey key;
  for (const UsageField& field : query_.group_by) {
    key.emplace_back(std::string(FieldValue(field, names)));
  }
  return key;
}

absl::Status QueryRun::AddRollups(const SqliteRollupTable& table,
                                  TimeWindow window) {
  TOKENUSAGE_ASSIGN_OR_RETURN(SqliteStatement * select,
                              SelectRollups(&database_, table));
  for (const auto& [series_id, group] : groups_) {
    if (window.start_nanos >= rows_.end_nanos()) return absl::OkStatus();
    TOKENUSAGE_RETURN_IF_ERROR(deadline_.Check());
    const SqliteStatement::Use use(select);
    select->Bind(1, series_id);
    select->Bind(2, window.start_nanos / kNanosPerSecond);
    select->Bind(3, window.end_nanos / kNanosPerSecond);
    TOKENUSAGE_RETURN_IF_ERROR(AddRollupsOf(group, select));
  }
  return absl::OkStatus();
}

absl::Status QueryRun::AddRollupsOf(const EncodedGroup& group,
                                    SqliteStatement* select) {
  for (;;) {
    TOKENUSAGE_ASSIGN_OR_RETURN(const bool row, select->Step());
    if (!row) return absl::OkStatus();
    TOKENUSAGE_RETURN_IF_ERROR(deadline_.Check());
    const std::int64_t start =
        select->Int64(kCellStartColumn) * kNanosPerSecond;
    if (start >= rows_.end_nanos()) return absl::OkStatus();
    UsageSum* const sum = rows_.SumOf(start, group);
    if (sum == nullptr) continue;
    TOKENUSAGE_RETURN_IF_ERROR(AddRollup(*select, database_.path(), sum));
  }
}

absl::Status QueryRun::AddRecords(TimeWindow window) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteStatement * select,
      database_.Cached("SELECT series_id, event_time, record "
                       "FROM usage_record INDEXED BY usage_record_by_time "
                       "WHERE project_id=?1 AND event_time>=?2 AND "
                       "event_time<?3 AND corrected_by IS NULL "
                       "ORDER BY event_time"));
  const SqliteStatement::Use use(select);
  select->Bind(1, project_id_);
  select->Bind(2, window.start_nanos);
  select->Bind(3, window.end_nanos);
  for (;;) {
    TOKENUSAGE_ASSIGN_OR_RETURN(const bool row, select->Step());
    if (!row) return absl::OkStatus();
    TOKENUSAGE_RETURN_IF_ERROR(deadline_.Check());
    const std::int64_t event_time = select->Int64(1);
    if (event_time >= rows_.end_nanos()) return absl::OkStatus();
    const auto group = groups_.find(select->Int64(0));
    if (group == groups_.end()) continue;
    TOKENUSAGE_RETURN_IF_ERROR(
        AddRecord(group->second, event_time, select->Blob(2)));
  }
}

absl::Status QueryRun::AddRecord(const EncodedGroup& group,
                                 std::int64_t event_time,
                                 std::string_view bytes) {
  TOKENUSAGE_RETURN_IF_ERROR(
      ReadStoredRecord(database_.path(), bytes, &record_));
  if (!Counts(record_)) return absl::OkStatus();
  if (uses_labels_ && !PassesAll(query_.filters, record_)) {
    return absl::OkStatus();
  }
  UsageSum* const sum =
      uses_labels_
          ? rows_.SumOf(event_time,
                        EncodedGroup(GroupKeyOf(query_.group_by, record_)))
          : rows_.SumOf(event_time, group);
  if (sum != nullptr) sum->Add(CountRecord(record_));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<UsageQueryPage> QueryUsage(SqliteDatabase* database,
                                          const UsageQuery& query) {
  TOKENUSAGE_RETURN_IF_ERROR(CheckLimits(query.limits));
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::int64_t project_id,
                              FindProjectId(database, query.project));
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::int64_t horizon,
                              ReadHorizon(database, project_id));
  TOKENUSAGE_RETURN_IF_ERROR(CheckHorizon(query, horizon));
  if (project_id == 0) return UsageQueryPage();
  return QueryRun(database, query, project_id).Run();
}

}  // namespace tokenusage
