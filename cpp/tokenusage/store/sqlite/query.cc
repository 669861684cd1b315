// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/sqlite/query.h"

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

struct Project {
  std::int64_t id;
  std::string name;
};

// One query's work on one project.
class ProjectRun {
 public:
  // Adds to `rows`.
  ProjectRun(SqliteDatabase* database, const UsageQuery& query,
             const Project& project, DeadlineCheck* deadline,
             RowAggregator* rows)
      : database_(*database),
        query_(query),
        project_(project),
        uses_labels_(UsesLabels(query)),
        deadline_(*deadline),
        rows_(*rows) {}

  absl::Status Run();

 private:
  // Finds the series that pass the filters, and the group of each.
  absl::Status LoadSeries();

  absl::Status AddRollups(const SqliteRollupTable& table, TimeWindow window);
  absl::Status AddRollupsOf(const std::string& group, SqliteStatement* select);
  absl::Status AddRecords(TimeWindow window);
  absl::Status AddRecord(const std::string& group, std::int64_t event_time,
                         std::string_view bytes);

  SqliteDatabase& database_;
  const UsageQuery& query_;
  const Project& project_;
  const bool uses_labels_;
  DeadlineCheck& deadline_;
  RowAggregator& rows_;
  // Encoded, by series_id. If the query uses labels, a group is computed per
  // record.
  absl::flat_hash_map<std::int64_t, std::string> groups_;
  v1::UsageRecord record_;  // reused to avoid reallocation
};

absl::Status ProjectRun::Run() {
  TOKENUSAGE_RETURN_IF_ERROR(LoadSeries());
  if (groups_.empty()) return absl::OkStatus();
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
  return absl::OkStatus();
}

absl::Status ProjectRun::LoadSeries() {
  return ForEachSeries(
      &database_, project_.id,
      [this](std::int64_t series_id, const SeriesNames& names) {
        if (!PassesAll(query_.filters, names)) return;
        groups_.emplace(series_id, uses_labels_
                                       ? ""
                                       : EncodedGroupOf(query_.group_by,
                                                        project_.name, names));
      });
}

absl::Status ProjectRun::AddRollups(const SqliteRollupTable& table,
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

absl::Status ProjectRun::AddRollupsOf(const std::string& group,
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

absl::Status ProjectRun::AddRecords(TimeWindow window) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteStatement * select,
      database_.Cached("SELECT series_id, event_time, record "
                       "FROM usage_record INDEXED BY usage_record_by_time "
                       "WHERE project_id=?1 AND event_time>=?2 AND "
                       "event_time<?3 AND corrected_by IS NULL "
                       "ORDER BY event_time"));
  const SqliteStatement::Use use(select);
  select->Bind(1, project_.id);
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

absl::Status ProjectRun::AddRecord(const std::string& group,
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
                        EncodedGroupOf(query_.group_by, project_.name, record_))
          : rows_.SumOf(event_time, group);
  if (sum != nullptr) sum->Add(CountRecord(record_));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<UsageQueryPage> QueryUsage(SqliteDatabase* database,
                                          const UsageQuery& query) {
  TOKENUSAGE_RETURN_IF_ERROR(CheckLimits(query.limits));
  std::vector<Project> projects;
  ProjectHorizon latest;
  for (const std::string& name : query.projects) {
    TOKENUSAGE_ASSIGN_OR_RETURN(const std::int64_t id,
                                FindProjectId(database, name));
    if (id == 0) continue;
    projects.push_back({id, name});
    TOKENUSAGE_ASSIGN_OR_RETURN(const std::int64_t horizon,
                                ReadHorizon(database, id));
    if (horizon > latest.nanos) latest = {name, horizon};
  }
  TOKENUSAGE_RETURN_IF_ERROR(CheckHorizon(query, latest));
  DeadlineCheck deadline(query.limits);
  RowAggregator rows(query);
  for (const Project& project : projects) {
    TOKENUSAGE_RETURN_IF_ERROR(
        ProjectRun(database, query, project, &deadline, &rows).Run());
  }
  return rows.Finish();
}

}  // namespace tokenusage
