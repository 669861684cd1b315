// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/sqlite/check.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tokenusage/base/excerpt.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/base/string_view.h"
#include "tokenusage/record/record_counts.h"
#include "tokenusage/store/deadline.h"
#include "tokenusage/store/query/label_set.h"
#include "tokenusage/store/query/query_plan.h"
#include "tokenusage/store/rollup/check_report.h"
#include "tokenusage/store/rollup/correction_check.h"
#include "tokenusage/store/rollup/rollup.h"
#include "tokenusage/store/rollup/stored_record.h"
#include "tokenusage/store/sqlite/deleted_project.h"
#include "tokenusage/store/sqlite/record_deletion.h"
#include "tokenusage/store/sqlite/table/horizon.h"
#include "tokenusage/store/sqlite/table/label_rollups.h"
#include "tokenusage/store/sqlite/table/record_key.h"
#include "tokenusage/store/sqlite/table/rollups.h"
#include "tokenusage/store/sqlite/table/series.h"

namespace tokenusage {
namespace {

constexpr std::int64_t kEndOfTime = std::numeric_limits<std::int64_t>::max();

// SQLite's messages about a damaged page may quote its content: they are cut to
// this length.
constexpr std::size_t kMaxDetailChars = 200;

struct Project {
  std::int64_t id = 0;
  std::string name;
};

absl::Status CheckStorage(SqliteDatabase* database, const CheckOptions& options,
                          CheckReportBuilder* report) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteRows rows,
      database->Select(absl::StrCat("PRAGMA integrity_check(",
                                    options.max_problems + 1, ")")));
  for (;;) {
    TOKENUSAGE_ASSIGN_OR_RETURN(const bool row, rows.Step());
    if (!row) return CheckLimits(options.limits);
    // A row may have many lines, the first of which names the database: always
    // "main".
    for (const absl::string_view line :
         absl::StrSplit(ToAbsl(rows.Text(0)), '\n', absl::SkipEmpty())) {
      if (line == "ok" || absl::StartsWith(line, "*** in database ")) continue;
      report->AddStorageProblem("", Excerpt(FromAbsl(line), kMaxDetailChars));
    }
  }
}

// Finds rows whose project, series or label set is missing.
absl::Status CheckOrphans(SqliteDatabase* database, const CheckOptions& options,
                          CheckReportBuilder* report) {
  struct Orphans {
    const char* what;
    const char* table;
    std::string condition;
  };
  // Returns the condition that `table` lacks a row with this id.
  const auto lacks = [](const char* id, const char* table) {
    return absl::StrCat(id, " NOT IN (SELECT ", id, " FROM ", table, ")");
  };
  const std::string no_project = lacks("project_id", "project");
  const std::string no_series = lacks("series_id", "series");
  const std::string no_label_set_or_series =
      absl::StrCat(lacks("label_set_id", "label_set"), " OR ", no_series);
  for (const Orphans& orphans : std::initializer_list<Orphans>{
           {"records whose project is missing", "usage_record", no_project},
           {"series whose project is missing", "series", no_project},
           {"quarter hours whose series is missing", "rollup_quarter",
            no_series},
           {"hours whose series is missing", "rollup_hour", no_series},
           {"label sets whose project is missing", "label_set", no_project},
           {"quarter hours by label whose label set or series is missing",
            "label_rollup_quarter", no_label_set_or_series},
           {"months by label whose label set or series is missing",
            "label_rollup_month", no_label_set_or_series},
           {"retentions whose project is missing", "retention", no_project}}) {
    TOKENUSAGE_RETURN_IF_ERROR(CheckLimits(options.limits));
    TOKENUSAGE_ASSIGN_OR_RETURN(const std::int64_t count,
                                database->QueryInt64(absl::StrCat(
                                    "SELECT count(*) FROM ", orphans.table,
                                    " WHERE ", orphans.condition)));
    if (count == 0) continue;
    report->AddStorageProblem("", absl::StrCat(count, " ", orphans.what));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Project>> LoadProjects(SqliteDatabase* database) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteRows rows,
      database->Select("SELECT project_id, name FROM project ORDER BY name"));
  std::vector<Project> projects;
  for (;;) {
    TOKENUSAGE_ASSIGN_OR_RETURN(const bool row, rows.Step());
    if (!row) return projects;
    projects.push_back({rows.Int64(0), std::string(rows.Text(1))});
  }
}

// Removes the quarter hours before a time from `quarter_hours`, and returns
// them.
Rollups TakeBefore(std::int64_t end_seconds, Rollups* quarter_hours) {
  Rollups taken;
  const auto end =
      quarter_hours->lower_bound({kQuarterHourSeconds, end_seconds, {}});
  for (auto it = quarter_hours->begin(); it != end;) {
    taken.insert(quarter_hours->extract(it++));
  }
  return taken;
}

// One project's check.
class ProjectCheck {
 public:
  // The arguments must outlive this.
  ProjectCheck(SqliteDatabase* database, const CheckOptions& options,
               const SqliteLabelState& labels, const Project& project,
               std::int64_t horizon, DeadlineCheck* deadline,
               CheckReportBuilder* report)
      : database_(*database),
        options_(options),
        labels_(labels),
        project_(project),
        horizon_(horizon),
        deadline_(*deadline),
        report_(*report) {}

  // Adds what is wrong to the report.
  absl::Status Run();

 private:
  struct Series {
    SeriesNames names;
    Rollups expected;  // quarter hours, not yet compared
  };

  absl::Status LoadSeries();
  absl::Status CheckRecords();
  // Returns what is wrong with a record's row; empty if nothing is. Adds the
  // record to the expected rollups, unless its row tells too little; then its
  // rollups are reported, too.
  std::string CheckRecord(const SqliteRows& row);
  // Compares the rollups before `end_seconds` with the expected ones.
  absl::Status CompareUntil(std::int64_t end_seconds);
  // Does the same for quarter hours by label.
  absl::Status CompareLabelsUntil(std::int64_t end_seconds);
  // Compares hours with quarter hours before the horizon, as there are no
  // records to compare with.
  absl::Status CompareHoursBeforeHorizon();
  // Compares months by label with their quarter hours.
  absl::Status CompareLabelMonths();

  absl::StatusOr<Rollups> ReadRollups(std::int64_t series_id,
                                      const SqliteRollupTable& table,
                                      CellRange range);
  // Reads the rollups by label whose label_set_id modulo `parts` is `part`.
  absl::StatusOr<Rollups> ReadLabelRollups(const SqliteRollupTable& table,
                                           CellRange range, int part,
                                           int parts);
  absl::StatusOr<Rollups> ReadRows(const SqliteRollupTable& table,
                                   SqliteRows rows);

  SqliteDatabase& database_;
  const CheckOptions& options_;
  const SqliteLabelState& labels_;
  const Project& project_;
  const std::int64_t horizon_;  // in nanoseconds
  DeadlineCheck& deadline_;
  CheckReportBuilder& report_;
  std::map<std::int64_t, Series> series_;
  absl::flat_hash_map<std::int64_t, std::string> label_set_by_id_;
  absl::flat_hash_set<std::string> label_sets_;
  Rollups expected_by_label_;          // quarter hours, not yet compared
  std::size_t expected_count_ = 0;     // of both families
  std::int64_t compared_seconds_ = 0;  // rollups before this were compared
  CorrectionCheck corrections_;
  v1::UsageRecord record_;  // reused to avoid reallocation
};

absl::Status ProjectCheck::Run() {
  TOKENUSAGE_RETURN_IF_ERROR(LoadSeries());
  TOKENUSAGE_RETURN_IF_ERROR(CompareHoursBeforeHorizon());
  TOKENUSAGE_RETURN_IF_ERROR(CheckRecords());
  return CompareLabelMonths();
}

absl::Status ProjectCheck::LoadSeries() {
  TOKENUSAGE_RETURN_IF_ERROR(
      ForEachSeries(&database_, project_.id,
                    [this](std::int64_t series_id, SeriesNames names) {
                      series_[series_id].names = std::move(names);
                    }));
  return ForEachLabelSet(
      &database_, project_.id,
      [this](std::int64_t label_set_id, std::string_view label_set) {
        label_set_by_id_.emplace(label_set_id, label_set);
        label_sets_.emplace(label_set);
      });
}

absl::Status ProjectCheck::CheckRecords() {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteRows rows,
      database_.Select("SELECT row_id, series_id, event_time, record_id, "
                       "record, inconsistent, corrected_by "
                       "FROM usage_record INDEXED BY "
                       "usage_record_by_time WHERE project_id=?1 AND "
                       "event_time>=?2 ORDER BY event_time",
                       {project_.id, horizon_}));
  compared_seconds_ =
      horizon_ == kNoHorizon ? horizon_ : horizon_ / kNanosPerSecond;
  for (;;) {
    TOKENUSAGE_ASSIGN_OR_RETURN(const bool row, rows.Step());
    if (!row) break;
    TOKENUSAGE_RETURN_IF_ERROR(deadline_.Check());
    report_.AddRecord();
    // Records come in order of time, so all rollups before this one's hour are
    // complete: compare them now, to bound memory.
    if (expected_count_ >= options_.max_rollups) {
      TOKENUSAGE_RETURN_IF_ERROR(
          CompareUntil(HourOf(rows.Int64(2) / kNanosPerSecond)));
    }
    const std::string detail = CheckRecord(rows);
    if (detail.empty()) continue;
    report_.AddRecordProblem(project_.name,
                             absl::StrCat("row ", rows.Int64(0), ": ", detail));
  }
  TOKENUSAGE_ASSIGN_OR_RETURN(const bool has_deletions,
                              HasDeletions(&database_, project_.name));
  // A removal or a deletion may take a correction and leave the record that it
  // corrects, or the reverse.
  if (horizon_ == kNoHorizon && !has_deletions) {
    corrections_.AddProblems(project_.name, &report_);
  }
  return CompareUntil(kEndOfTime);
}

std::string ProjectCheck::CheckRecord(const SqliteRows& row) {
  const std::int64_t time = row.Int64(2);
  const std::string detail =
      CheckStoredRecord(row.Blob(4), RecordIdAt(row, 3), time, &record_);
  if (!detail.empty()) return detail;
  const auto series = series_.find(row.Int64(1));
  if (series == series_.end())
    return "its series does not belong to its project";
  RollupKey key = RollupKeyOf(record_, time);
  if (!(series->second.names == key.series)) {
    return "its operation, provider and model are not those of its series";
  }
  if (!row.IsNull(6)) record_.set_corrected_by(RecordIdAt(row, 6));
  if (horizon_ == kNoHorizon) corrections_.Add(record_);
  const UsageCounts counts = CountRecord(record_);
  if (Counts(record_)) {
    const std::string label_set = LabelSetOf(labels_.labels, record_);
    if (!label_set.empty() && label_sets_.count(label_set) == 0) {
      return "its project has no label set for its labels";
    }
    const auto add = [&](RollupKey to, Rollups* rollups) {
      const auto [rollup, added] = rollups->try_emplace(std::move(to));
      rollup->second.Add(counts);
      if (added) ++expected_count_;
    };
    // Later records have not been added to the rollups by label yet.
    if (!label_set.empty() && row.Int64(0) <= labels_.until) {
      RollupKey by_label = key;
      by_label.series.labels = label_set;
      add(std::move(by_label), &expected_by_label_);
    }
    add(std::move(key), &series->second.expected);
  }
  if (row.Int64(5) == (counts.inconsistent() ? 1 : 0)) return "";
  return counts.inconsistent()
             ? "it contradicts itself, but is not marked"
             : "it is marked as contradicting itself, but does not";
}

absl::Status ProjectCheck::CompareUntil(std::int64_t end_seconds) {
  const CellRange range = {compared_seconds_, end_seconds};
  for (auto& [id, series] : series_) {
    Rollups expected = TakeBefore(end_seconds, &series.expected);
    expected_count_ -= expected.size();
    expected.merge(CoarserRollupsOf(expected));
    Rollups found;
    for (const SqliteRollupTable& table : {kQuarterHourTable, kHourTable}) {
      TOKENUSAGE_ASSIGN_OR_RETURN(Rollups rollups,
                                  ReadRollups(id, table, range));
      found.merge(rollups);
    }
    report_.AddRollups(found.size());
    report_.CompareRollups(project_.name, expected, found);
  }
  TOKENUSAGE_RETURN_IF_ERROR(CompareLabelsUntil(end_seconds));
  compared_seconds_ = end_seconds;
  return absl::OkStatus();
}

absl::Status ProjectCheck::CompareLabelsUntil(std::int64_t end_seconds) {
  const Rollups expected = TakeBefore(end_seconds, &expected_by_label_);
  expected_count_ -= expected.size();
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const Rollups found,
      ReadLabelRollups(kLabelQuarterHourTable, {compared_seconds_, end_seconds},
                       0, 1));
  report_.AddRollups(found.size());
  report_.CompareRollups(project_.name, expected, found);
  return absl::OkStatus();
}

absl::Status ProjectCheck::CompareHoursBeforeHorizon() {
  if (horizon_ == kNoHorizon) return absl::OkStatus();
  // A year at a time, to bound memory.
  constexpr std::int64_t kStep = kHourSeconds * 24 * 366;
  const std::int64_t end = horizon_ / kNanosPerSecond;
  for (std::int64_t from = 0; from < end; from += kStep) {
    const CellRange range = {from, std::min(end, from + kStep)};
    for (const auto& [id, series] : series_) {
      TOKENUSAGE_ASSIGN_OR_RETURN(const Rollups quarter_hours,
                                  ReadRollups(id, kQuarterHourTable, range));
      TOKENUSAGE_ASSIGN_OR_RETURN(const Rollups hours,
                                  ReadRollups(id, kHourTable, range));
      report_.CompareRollups(project_.name, CoarserRollupsOf(quarter_hours),
                             hours);
    }
  }
  return absl::OkStatus();
}

absl::Status ProjectCheck::CompareLabelMonths() {
  // Returns the least or greatest cell_start; 0 if there are no such rollups.
  const auto edge = [&](const char* which) {
    return database_.QueryInt64(
        absl::StrCat("SELECT ", which, "(edge) FROM (SELECT ", which,
                     "(cell_start) AS edge FROM label_rollup_quarter "
                     "WHERE project_id=?1 UNION ALL SELECT ",
                     which,
                     "(cell_start) FROM label_rollup_month "
                     "WHERE project_id=?1)"),
        {project_.id});
  };
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::int64_t first, edge("min"));
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::int64_t last, edge("max"));
  if (last == 0) return absl::OkStatus();
  for (std::int64_t month = MonthOf(first); month <= last;
       month = MonthAfter(month)) {
    const CellRange range = {month, MonthAfter(month)};
    TOKENUSAGE_ASSIGN_OR_RETURN(
        const std::int64_t count,
        database_.QueryInt64("SELECT count(*) FROM label_rollup_month "
                             "WHERE project_id=?1 AND cell_start=?2",
                             {project_.id, month}));
    // To bound memory.
    const int parts =
        1 + static_cast<int>(static_cast<std::size_t>(count) /
                             std::max<std::size_t>(1, options_.max_rollups));
    for (int part = 0; part < parts; ++part) {
      TOKENUSAGE_ASSIGN_OR_RETURN(
          const Rollups quarter_hours,
          ReadLabelRollups(kLabelQuarterHourTable, range, part, parts));
      TOKENUSAGE_ASSIGN_OR_RETURN(
          const Rollups months,
          ReadLabelRollups(kLabelMonthTable, range, part, parts));
      report_.AddRollups(months.size());
      report_.CompareRollups(project_.name, CoarserRollupsOf(quarter_hours),
                             months);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Rollups> ProjectCheck::ReadRollups(
    std::int64_t series_id, const SqliteRollupTable& table, CellRange range) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteRows rows,
      database_.Select(SelectRollups(table),
                       {series_id, range.start_seconds, range.end_seconds}));
  return ReadRows(table, std::move(rows));
}

absl::StatusOr<Rollups> ProjectCheck::ReadLabelRollups(
    const SqliteRollupTable& table, CellRange range, int part, int parts) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteRows rows,
      database_.Select(
          absl::StrCat("SELECT ", kRollupColumns, ", label_set_id FROM ",
                       table.name,
                       " WHERE project_id=?1 AND cell_start>=?2 AND "
                       "cell_start<?3 AND label_set_id%?4=?5 "
                       "ORDER BY cell_start"),
          {project_.id, range.start_seconds, range.end_seconds, parts, part}));
  return ReadRows(table, std::move(rows));
}

absl::StatusOr<Rollups> ProjectCheck::ReadRows(const SqliteRollupTable& table,
                                               SqliteRows rows) {
  Rollups rollups;
  for (;;) {
    TOKENUSAGE_ASSIGN_OR_RETURN(const bool row, rows.Step());
    if (!row) return rollups;
    TOKENUSAGE_RETURN_IF_ERROR(deadline_.Check());
    UsageSum sum;
    const absl::Status status = AddRollup(rows, database_.path(), &sum);
    if (!status.ok()) {
      report_.AddStorageProblem(project_.name, FromAbsl(status.message()));
      continue;
    }
    const auto series = series_.find(rows.Int64(0));
    if (series == series_.end()) continue;  // CheckOrphans reports it
    SeriesNames names = series->second.names;
    if (table.by_label) {
      const auto label_set =
          label_set_by_id_.find(rows.Int64(kRollupColumnCount));
      if (label_set == label_set_by_id_.end()) continue;
      names.labels = label_set->second;
    }
    rollups[{table.cell_seconds, rows.Int64(kCellStartColumn),
             std::move(names)}] = std::move(sum);
  }
}

absl::Status CheckProjects(SqliteDatabase* database,
                           const CheckOptions& options,
                           CheckReportBuilder* report) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const SqliteLabelState labels,
                              ReadLabelState(database));
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::vector<Project> projects,
                              LoadProjects(database));
  // Only an estimate, but immediate: counting would read a whole index.
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const std::int64_t total,
      database->QueryInt64("SELECT (SELECT max(row_id) FROM usage_record) - "
                           "(SELECT min(row_id) FROM usage_record) + 1"));
  report->SetTotal(total);
  DeadlineCheck deadline(options.limits);
  for (const Project& project : projects) {
    TOKENUSAGE_ASSIGN_OR_RETURN(const std::int64_t horizon,
                                ReadHorizon(database, project.id));
    const bool deleted = IsDeletedProject(project.name);
    TOKENUSAGE_ASSIGN_OR_RETURN(
        const std::int64_t left_over,
        database->QueryInt64("SELECT count(*) FROM usage_record INDEXED BY "
                             "usage_record_by_time "
                             "WHERE project_id=?1 AND event_time<?2",
                             {project.id, deleted ? kEndOfTime : horizon}));
    report->AddLeftOver(left_over);
    if (deleted) continue;
    TOKENUSAGE_RETURN_IF_ERROR(ProjectCheck(database, options, labels, project,
                                            horizon, &deadline, report)
                                   .Run());
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<CheckReport> CheckSqliteContent(SqliteDatabase* database,
                                               const CheckOptions& options) {
  TOKENUSAGE_RETURN_IF_ERROR(CheckLimits(options.limits));
  CheckReportBuilder report(options);
  for (const auto part : {&CheckStorage, &CheckOrphans, &CheckProjects}) {
    const absl::Status status = part(database, options, &report);
    // Damage is what a check looks for; the other parts may find more.
    if (absl::IsDataLoss(status)) {
      report.AddStorageProblem("", FromAbsl(status.message()));
    } else if (!status.ok()) {
      return status;
    }
  }
  return report.Finish();
}

}  // namespace tokenusage
