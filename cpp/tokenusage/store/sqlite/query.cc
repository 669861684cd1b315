// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/sqlite/query.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/record/record_counts.h"
#include "tokenusage/store/deadline.h"
#include "tokenusage/store/query/field_values.h"
#include "tokenusage/store/query/query_plan.h"
#include "tokenusage/store/query/row_aggregator.h"
#include "tokenusage/store/rollup/stored_record.h"
#include "tokenusage/store/sqlite/table/horizon.h"
#include "tokenusage/store/sqlite/table/label_rollups.h"
#include "tokenusage/store/sqlite/table/rollups.h"
#include "tokenusage/store/sqlite/table/series.h"

namespace tokenusage {
namespace {

// The most cells of single label sets that a label query seeks one by one. If
// it needs more, it reads all cells of its window.
constexpr std::int64_t kMaxSeeks = 100'000;

struct Project {
  std::int64_t id;
  std::string name;
};

// Returns the span of the rollups in a plan, which are next to each other.
TimeWindow RollupWindow(const std::vector<QuerySegment>& plan) {
  TimeWindow window;
  for (const QuerySegment& segment : plan) {
    if (segment.source == QuerySegment::Source::kRecords) continue;
    if (window.end_nanos == 0) window.start_nanos = segment.window.start_nanos;
    window.end_nanos = segment.window.end_nanos;
  }
  return window;
}

CellRange CellsOf(TimeWindow window) {
  return {window.start_nanos / kNanosPerSecond,
          window.end_nanos / kNanosPerSecond};
}

// Returns whether the query groups by operation, provider or model.
bool GroupsBySeries(const UsageQuery& query) {
  return std::any_of(query.group_by.begin(), query.group_by.end(),
                     [](const UsageField& field) {
                       return field.kind != UsageField::Kind::kLabel &&
                              field.kind != UsageField::Kind::kProject;
                     });
}

// One query's work on one project.
class ProjectRun {
 public:
  // Adds the totals to `rows`.
  ProjectRun(SqliteDatabase* database, const UsageQuery& query,
             const Project& project, const SqliteLabelState& labels,
             DeadlineCheck* deadline, RowAggregator* rows)
      : database_(*database),
        query_(query),
        project_(project),
        labels_(labels),
        uses_labels_(UsesLabels(query)),
        by_label_(UsesRollupLabels(query, labels.labels)),
        groups_by_series_(GroupsBySeries(query)),
        deadline_(*deadline),
        rows_(*rows) {}

  absl::Status Run();

 private:
  // Finds the series that pass the filters, and the group of each.
  absl::Status LoadSeries();
  // Does the same for label sets.
  absl::Status LoadLabelSets();
  // Sorts the label sets by group, if that does not depend on the series: then
  // those beyond the page are known before their rollups are read.
  void SortLabelSets();

  absl::Status AddRollups(const SqliteRollupTable& table, TimeWindow window);
  // Adds rollups in order of time. `sum_of(rows)` returns the sum that a row
  // belongs to; null if the row does not matter.
  template <typename SumOf>
  absl::Status AddRollupRows(SqliteRows rows, const SumOf& sum_of);

  absl::Status AddLabelRollups(const SqliteRollupTable& table,
                               TimeWindow window);
  absl::Status AddLabelRollupsBySet(const SqliteRollupTable& table,
                                    TimeWindow window);
  absl::Status AddLabelRows(SqliteRows rows);
  // Finds the sum of the row's group, and remembers it: many rows in turn often
  // have the same. Returns null if the row does not matter.
  UsageSum* LabelSumOf(const SqliteCell& cell);

  absl::Status AddRecords(TimeWindow window);
  // Adds the records of a window that the rollups by label do not hold yet.
  absl::Status AddUnfolded(TimeWindow window);
  absl::Status AddRecordRows(SqliteRows rows, bool in_order_of_time);
  absl::Status AddRecord(const std::string& group, std::int64_t event_time,
                         std::string_view bytes);

  SqliteDatabase& database_;
  const UsageQuery& query_;
  const Project& project_;
  const SqliteLabelState& labels_;
  const bool uses_labels_;
  const bool by_label_;
  const bool groups_by_series_;
  DeadlineCheck& deadline_;
  RowAggregator& rows_;
  // By series_id: the names, and the encoded group. If the query uses labels,
  // the group is empty: it is computed by record, or by rollup.
  struct Series {
    SeriesNames names;
    std::string group;
  };
  absl::flat_hash_map<std::int64_t, Series> series_;
  // Those that pass the filters, by label_set_id.
  absl::flat_hash_map<std::int64_t, std::string> label_sets_;
  struct LabelSetGroup {
    std::string group;
    std::int64_t label_set_id;
  };
  std::vector<LabelSetGroup> sorted_label_sets_;
  bool all_label_sets_ = true;    // pass the filters
  SqliteCell last_cell_;          // of the last rollup by label
  std::string last_group_;        // of the same
  UsageSum* last_sum_ = nullptr;  // of the same
  v1::UsageRecord record_;        // reused to avoid reallocation
};

absl::Status ProjectRun::Run() {
  TOKENUSAGE_RETURN_IF_ERROR(LoadSeries());
  if (by_label_) TOKENUSAGE_RETURN_IF_ERROR(LoadLabelSets());
  if (series_.empty()) return absl::OkStatus();
  const std::vector<QuerySegment> plan =
      PlanQuery(query_, rows_.start_nanos(), labels_.labels);
  for (const QuerySegment& segment : plan) {
    absl::Status status;
    switch (segment.source) {
      case QuerySegment::Source::kRecords:
        status = AddRecords(segment.window);
        break;
      case QuerySegment::Source::kQuarterHours:
        status = by_label_
                     ? AddLabelRollups(kLabelQuarterHourTable, segment.window)
                     : AddRollups(kQuarterHourTable, segment.window);
        break;
      case QuerySegment::Source::kHours:
        status = AddRollups(kHourTable, segment.window);
        break;
      case QuerySegment::Source::kMonths:
        status = AddLabelRollups(kLabelMonthTable, segment.window);
        break;
    }
    TOKENUSAGE_RETURN_IF_ERROR(status);
  }
  return by_label_ ? AddUnfolded(RollupWindow(plan)) : absl::OkStatus();
}

absl::Status ProjectRun::LoadSeries() {
  return ForEachSeries(
      &database_, project_.id,
      [this](std::int64_t series_id, SeriesNames names) {
        if (!PassesAll(query_.filters, names)) return;
        std::string group;
        if (!uses_labels_) {
          group = EncodedGroupOf(query_.group_by, project_.name, names);
        }
        series_[series_id] = {std::move(names), std::move(group)};
      });
}

absl::Status ProjectRun::LoadLabelSets() {
  return ForEachLabelSet(
      &database_, project_.id,
      [this](std::int64_t label_set_id, std::string_view label_set) {
        if (LabelsPassAll(query_.filters, label_set, labels_.labels)) {
          label_sets_.emplace(label_set_id, label_set);
        } else {
          all_label_sets_ = false;
        }
      });
}

void ProjectRun::SortLabelSets() {
  if (!sorted_label_sets_.empty()) return;
  SeriesNames names;
  for (const auto& [label_set_id, label_set] : label_sets_) {
    std::string group;
    if (!groups_by_series_) {
      names.labels = label_set;
      group =
          EncodedGroupOf(query_.group_by, project_.name, names, labels_.labels);
    }
    sorted_label_sets_.push_back({std::move(group), label_set_id});
  }
  if (groups_by_series_) return;
  std::sort(sorted_label_sets_.begin(), sorted_label_sets_.end(),
            [](const LabelSetGroup& a, const LabelSetGroup& b) {
              return a.group < b.group;
            });
}

absl::Status ProjectRun::AddRollups(const SqliteRollupTable& table,
                                    TimeWindow window) {
  const std::string select = SelectRollups(table);
  const auto [start, end] = CellsOf(window);
  for (const auto& [series_id, series] : series_) {
    if (window.start_nanos >= rows_.end_nanos()) return absl::OkStatus();
    TOKENUSAGE_ASSIGN_OR_RETURN(
        SqliteRows rows, database_.Select(select, {series_id, start, end}));
    TOKENUSAGE_RETURN_IF_ERROR(AddRollupRows(
        std::move(rows), [this, &group = series.group](const SqliteRows& row) {
          return rows_.SumOf(row.Int64(kCellStartColumn) * kNanosPerSecond,
                             group);
        }));
  }
  return absl::OkStatus();
}

template <typename SumOf>
absl::Status ProjectRun::AddRollupRows(SqliteRows rows, const SumOf& sum_of) {
  for (;;) {
    TOKENUSAGE_RETURN_IF_ERROR(deadline_.Check());
    TOKENUSAGE_ASSIGN_OR_RETURN(const bool row, rows.Step());
    if (!row ||
        rows.Int64(kCellStartColumn) * kNanosPerSecond >= rows_.end_nanos()) {
      return absl::OkStatus();
    }
    UsageSum* const sum = sum_of(rows);
    if (sum == nullptr) continue;
    TOKENUSAGE_RETURN_IF_ERROR(AddRollup(rows, database_.path(), sum));
  }
}

absl::Status ProjectRun::AddLabelRollups(const SqliteRollupTable& table,
                                         TimeWindow window) {
  if (label_sets_.empty()) return absl::OkStatus();
  const auto [start, end] = CellsOf(window);
  // True if most label sets may be beyond the page.
  const bool can_skip =
      !query_.order && !groups_by_series_ &&
      label_sets_.size() > static_cast<std::size_t>(query_.page_size);
  const std::int64_t seeks = (end - start) / table.cell_seconds *
                             static_cast<std::int64_t>(label_sets_.size());
  if ((can_skip || !all_label_sets_) && seeks <= kMaxSeeks) {
    return AddLabelRollupsBySet(table, window);
  }
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteRows rows,
      database_.Select(
          absl::StrCat("SELECT ", kRollupColumns, ", label_set_id FROM ",
                       table.name,
                       " WHERE project_id=?1 AND cell_start>=?2 AND "
                       "cell_start<?3 "
                       "ORDER BY cell_start, label_set_id, series_id"),
          {project_.id, start, end}));
  return AddLabelRows(std::move(rows));
}

absl::Status ProjectRun::AddLabelRollupsBySet(const SqliteRollupTable& table,
                                              TimeWindow window) {
  SortLabelSets();
  const std::string select = absl::StrCat(
      "SELECT ", kRollupColumns, ", label_set_id FROM ", table.name,
      " WHERE project_id=?1 AND cell_start=?2 AND label_set_id=?3 "
      "ORDER BY series_id");
  const auto [start, end] = CellsOf(window);
  const bool months = table.cell_seconds == kMonthSeconds;
  for (std::int64_t cell = start; cell < end;
       cell = months ? MonthAfter(cell) : cell + table.cell_seconds) {
    const std::int64_t nanos = cell * kNanosPerSecond;
    if (nanos >= rows_.end_nanos()) break;
    for (const auto& [group, label_set_id] : sorted_label_sets_) {
      if (!groups_by_series_ && !rows_.Wants(nanos, group)) continue;
      TOKENUSAGE_ASSIGN_OR_RETURN(
          SqliteRows rows,
          database_.Select(select, {project_.id, cell, label_set_id}));
      TOKENUSAGE_RETURN_IF_ERROR(AddLabelRows(std::move(rows)));
    }
  }
  return absl::OkStatus();
}

absl::Status ProjectRun::AddLabelRows(SqliteRows rows) {
  return AddRollupRows(std::move(rows), [this](const SqliteRows& row) {
    return LabelSumOf({0, row.Int64(kCellStartColumn),
                       row.Int64(kRollupColumnCount), row.Int64(0)});
  });
}

UsageSum* ProjectRun::LabelSumOf(const SqliteCell& cell) {
  const auto series = series_.find(cell.series_id);
  if (series == series_.end()) return nullptr;
  const bool new_group =
      cell.label_set_id != last_cell_.label_set_id ||
      (groups_by_series_ && cell.series_id != last_cell_.series_id);
  if (!new_group && cell.cell_start == last_cell_.cell_start) return last_sum_;
  if (new_group) {
    const auto label_set = label_sets_.find(cell.label_set_id);
    if (label_set == label_sets_.end()) return nullptr;
    series->second.names.labels = label_set->second;
    last_group_ = EncodedGroupOf(query_.group_by, project_.name,
                                 series->second.names, labels_.labels);
  }
  last_cell_ = cell;
  last_sum_ = rows_.SumOf(cell.cell_start * kNanosPerSecond, last_group_);
  return last_sum_;
}

absl::Status ProjectRun::AddRecords(TimeWindow window) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteRows rows,
      database_.Select("SELECT series_id, event_time, record "
                       "FROM usage_record INDEXED BY usage_record_by_time "
                       "WHERE project_id=?1 AND event_time>=?2 AND "
                       "event_time<?3 AND corrected_by IS NULL "
                       "ORDER BY event_time",
                       {project_.id, window.start_nanos, window.end_nanos}));
  return AddRecordRows(std::move(rows), /*in_order_of_time=*/true);
}

absl::Status ProjectRun::AddUnfolded(TimeWindow window) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteRows rows,
      database_.Select(
          "SELECT series_id, event_time, record "
          "FROM usage_record NOT INDEXED WHERE row_id>?4 AND "
          "project_id=?1 AND event_time>=?2 AND event_time<?3 "
          "AND corrected_by IS NULL",
          {project_.id, window.start_nanos, window.end_nanos, labels_.until}));
  return AddRecordRows(std::move(rows), /*in_order_of_time=*/false);
}

absl::Status ProjectRun::AddRecordRows(SqliteRows rows, bool in_order_of_time) {
  for (;;) {
    TOKENUSAGE_ASSIGN_OR_RETURN(const bool row, rows.Step());
    if (!row) return absl::OkStatus();
    TOKENUSAGE_RETURN_IF_ERROR(deadline_.Check());
    const std::int64_t event_time = rows.Int64(1);
    if (in_order_of_time && event_time >= rows_.end_nanos()) {
      return absl::OkStatus();
    }
    const auto series = series_.find(rows.Int64(0));
    if (series == series_.end()) continue;
    TOKENUSAGE_RETURN_IF_ERROR(
        AddRecord(series->second.group, event_time, rows.Blob(2)));
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
  TOKENUSAGE_ASSIGN_OR_RETURN(const SqliteLabelState labels,
                              ReadLabelState(database));
  std::vector<Project> projects;
  std::vector<ProjectHorizon> horizons;
  for (const std::string& name : query.projects) {
    TOKENUSAGE_ASSIGN_OR_RETURN(const std::int64_t id,
                                FindProjectId(database, name));
    if (id == 0) continue;
    projects.push_back({id, name});
    TOKENUSAGE_ASSIGN_OR_RETURN(ProjectHorizon horizon,
                                ReadHorizons(database, id));
    horizon.project = name;
    horizon.labels = labels.labels;
    horizons.push_back(std::move(horizon));
  }
  TOKENUSAGE_RETURN_IF_ERROR(CheckHorizon(query, horizons));
  DeadlineCheck deadline(query.limits);
  RowAggregator rows(query);
  for (const Project& project : projects) {
    TOKENUSAGE_RETURN_IF_ERROR(
        ProjectRun(database, query, project, labels, &deadline, &rows).Run());
  }
  return rows.Finish();
}

}  // namespace tokenusage
