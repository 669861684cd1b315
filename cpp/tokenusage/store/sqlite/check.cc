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
#include "tokenusage/store/sqlite/horizon.h"
#include "tokenusage/store/sqlite/label_rollups.h"
#include "tokenusage/store/sqlite/record_deletion.h"
#include "tokenusage/store/sqlite/record_key.h"
#include "tokenusage/store/sqlite/rollups.h"
#include "tokenusage/store/sqlite/series.h"

namespace tokenusage {
namespace {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

// The limit of SQLite's message about a page, which may quote its content.
constexpr std::size_t kMaxDetailChars = 200;

struct Project {
  std::int64_t id = 0;
  std::string name;
};

// One check's work.
class CheckRun {
 public:
  CheckRun(SqliteDatabase* database, const CheckOptions& options)
      : database_(*database),
        options_(options),
        deadline_(options.limits),
        report_(options) {}

  absl::StatusOr<CheckReport> Run();

 private:
  struct Series {
    SeriesNames names;
    Rollups expected;  // quarter hours, not yet compared
  };
  using AllSeries = std::map<std::int64_t, Series>;

  absl::Status CheckStorage();
  // Finds rows whose project or series is missing.
  absl::Status CheckOrphans();
  absl::Status CheckProjects();
  absl::StatusOr<std::vector<Project>> LoadProjects();
  absl::StatusOr<AllSeries> LoadSeries(std::int64_t project_id);

  absl::Status LoadLabelSets(std::int64_t project_id);

  absl::Status CheckRecords(const Project& project, AllSeries* all);
  // Returns what is wrong with a record's row; empty if nothing is. Adds the
  // record to the expected rollups.
  std::string CheckRecord(const SqliteStatement& row, AllSeries* all);
  // Compares the rollups before `end_seconds` with the expected ones.
  absl::Status CompareUntil(const Project& project, std::int64_t end_seconds,
                            AllSeries* all);
  // Compares hours with quarter hours before the horizon, as there are no
  // records to compare with.
  absl::Status CompareHoursBeforeHorizon(const Project& project,
                                         const AllSeries& all);
  absl::StatusOr<Rollups> ReadRollups(const Project& project,
                                      std::int64_t series_id,
                                      const SeriesNames& names,
                                      const SqliteRollupTable& table,
                                      CellRange range);

  // Compares the quarter hours by label before `end_seconds` with the expected
  // ones.
  absl::Status CompareLabelsUntil(const Project& project,
                                  std::int64_t end_seconds,
                                  const AllSeries& all);
  // Compares months by label with their quarter hours.
  absl::Status CompareMonths(const Project& project, const AllSeries& all);
  // Reads the rollups by label of one of several parts of the label sets.
  absl::StatusOr<Rollups> ReadLabelRollups(const Project& project,
                                           const AllSeries& all,
                                           const SqliteRollupTable& table,
                                           CellRange range, int part,
                                           int parts);

  SqliteDatabase& database_;
  const CheckOptions& options_;
  DeadlineCheck deadline_;
  CheckReportBuilder report_;
  std::int64_t horizon_ = kNoHorizon;  // of the project, in nanoseconds
  std::int64_t compared_seconds_ = 0;  // rollups before were compared
  std::size_t expected_count_ = 0;     // rollups in memory
  CorrectionCheck corrections_;        // of the project
  SqliteLabelState labels_;
  // Of the project.
  absl::flat_hash_map<std::int64_t, std::string> label_sets_;
  absl::flat_hash_set<std::string> known_label_sets_;
  Rollups expected_by_label_;  // quarter hours, not yet compared
  v1::UsageRecord record_;     // reused to avoid reallocation
};

absl::StatusOr<CheckReport> CheckRun::Run() {
  TOKENUSAGE_RETURN_IF_ERROR(CheckLimits(options_.limits));
  for (absl::Status (CheckRun::*part)() :
       {&CheckRun::CheckStorage, &CheckRun::CheckOrphans,
        &CheckRun::CheckProjects}) {
    const absl::Status status = (this->*part)();
    // Damage is what a check looks for; the other parts may find more.
    if (absl::IsDataLoss(status)) {
      report_.AddStorageProblem("", FromAbsl(status.message()));
    } else if (!status.ok()) {
      return status;
    }
  }
  return report_.Finish();
}

absl::Status CheckRun::CheckStorage() {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteStatement * check,
      database_.Cached(absl::StrCat("PRAGMA integrity_check(",
                                    options_.max_problems + 1, ")")));
  const SqliteStatement::Use use(check);
  for (;;) {
    TOKENUSAGE_ASSIGN_OR_RETURN(const bool row, check->Step());
    if (!row) return CheckLimits(options_.limits);
    // A row may have many lines, the first of which names the database: always
    // "main".
    for (const absl::string_view line :
         absl::StrSplit(ToAbsl(check->Text(0)), '\n', absl::SkipEmpty())) {
      if (line == "ok" || absl::StartsWith(line, "*** in database ")) continue;
      report_.AddStorageProblem("", Excerpt(FromAbsl(line), kMaxDetailChars));
    }
  }
}

absl::Status CheckRun::CheckOrphans() {
  struct Orphans {
    const char* what;
    const char* sql;
  };
  for (const Orphans& orphans : std::initializer_list<Orphans>{
           {"records of no project",
            "usage_record WHERE project_id NOT IN "
            "(SELECT project_id FROM project)"},
           {"series of no project",
            "series WHERE project_id NOT IN (SELECT project_id FROM project)"},
           {"quarter hours of no series",
            "rollup_quarter WHERE series_id NOT IN "
            "(SELECT series_id FROM series)"},
           {"hours of no series",
            "rollup_hour WHERE series_id NOT IN "
            "(SELECT series_id FROM series)"},
           {"label sets of no project",
            "label_set WHERE project_id NOT IN "
            "(SELECT project_id FROM project)"},
           {"quarter hours by label of no label set or series",
            "label_rollup_quarter WHERE label_set_id NOT IN "
            "(SELECT label_set_id FROM label_set) OR series_id NOT IN "
            "(SELECT series_id FROM series)"},
           {"months by label of no label set or series",
            "label_rollup_month WHERE label_set_id NOT IN "
            "(SELECT label_set_id FROM label_set) OR series_id NOT IN "
            "(SELECT series_id FROM series)"},
           {"retentions of no project",
            "retention WHERE project_id NOT IN "
            "(SELECT project_id FROM project)"}}) {
    TOKENUSAGE_RETURN_IF_ERROR(CheckLimits(options_.limits));
    TOKENUSAGE_ASSIGN_OR_RETURN(const std::int64_t count,
                                database_.QueryInt64(absl::StrCat(
                                    "SELECT count(*) FROM ", orphans.sql)));
    if (count == 0) continue;
    report_.AddStorageProblem("", absl::StrCat(count, " ", orphans.what));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Project>> CheckRun::LoadProjects() {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteStatement * select,
      database_.Cached("SELECT project_id, name FROM project ORDER BY name"));
  const SqliteStatement::Use use(select);
  std::vector<Project> projects;
  for (;;) {
    TOKENUSAGE_ASSIGN_OR_RETURN(const bool row, select->Step());
    if (!row) return projects;
    projects.push_back({select->Int64(0), std::string(select->Text(1))});
  }
}

absl::StatusOr<CheckRun::AllSeries> CheckRun::LoadSeries(
    std::int64_t project_id) {
  AllSeries all;
  TOKENUSAGE_RETURN_IF_ERROR(
      ForEachSeries(&database_, project_id,
                    [&all](std::int64_t series_id, SeriesNames names) {
                      all[series_id].names = std::move(names);
                    }));
  return all;
}

absl::Status CheckRun::CheckProjects() {
  TOKENUSAGE_ASSIGN_OR_RETURN(labels_, ReadLabelState(&database_));
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::vector<Project> projects,
                              LoadProjects());
  // Only an estimate, but immediate: counting would read a whole index.
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const std::int64_t total,
      database_.QueryInt64("SELECT (SELECT max(row_id) FROM usage_record) - "
                           "(SELECT min(row_id) FROM usage_record) + 1"));
  report_.SetTotal(total);
  for (const Project& project : projects) {
    TOKENUSAGE_ASSIGN_OR_RETURN(horizon_, ReadHorizon(&database_, project.id));
    const bool deleted = IsDeletedProject(project.name);
    TOKENUSAGE_ASSIGN_OR_RETURN(
        const std::int64_t left_over,
        database_.QueryInt64(absl::StrCat(
            "SELECT count(*) FROM usage_record INDEXED BY "
            "usage_record_by_time WHERE project_id=",
            project.id, " AND event_time<", deleted ? kNever : horizon_)));
    report_.AddLeftOver(left_over);
    if (deleted) continue;
    TOKENUSAGE_ASSIGN_OR_RETURN(AllSeries all, LoadSeries(project.id));
    TOKENUSAGE_RETURN_IF_ERROR(CompareHoursBeforeHorizon(project, all));
    TOKENUSAGE_RETURN_IF_ERROR(LoadLabelSets(project.id));
    TOKENUSAGE_RETURN_IF_ERROR(CheckRecords(project, &all));
    TOKENUSAGE_RETURN_IF_ERROR(CompareMonths(project, all));
  }
  return absl::OkStatus();
}

absl::Status CheckRun::LoadLabelSets(std::int64_t project_id) {
  label_sets_.clear();
  known_label_sets_.clear();
  return ForEachLabelSet(
      &database_, project_id,
      [this](std::int64_t label_set_id, std::string_view label_set) {
        label_sets_.emplace(label_set_id, label_set);
        known_label_sets_.emplace(label_set);
      });
}

absl::Status CheckRun::CheckRecords(const Project& project, AllSeries* all) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteStatement * select,
      database_.Cached("SELECT row_id, series_id, event_time, record_id, "
                       "record, inconsistent, corrected_by "
                       "FROM usage_record INDEXED BY "
                       "usage_record_by_time WHERE project_id=?1 AND "
                       "event_time>=?2 ORDER BY event_time"));
  const SqliteStatement::Use use(select);
  select->Bind(1, project.id);
  select->Bind(2, horizon_);
  corrections_ = CorrectionCheck();
  compared_seconds_ =
      horizon_ == kNoHorizon ? horizon_ : horizon_ / kNanosPerSecond;
  for (;;) {
    TOKENUSAGE_ASSIGN_OR_RETURN(const bool row, select->Step());
    if (!row) break;
    TOKENUSAGE_RETURN_IF_ERROR(deadline_.Check());
    report_.AddRecord();
    if (expected_count_ >= options_.max_rollups) {
      TOKENUSAGE_RETURN_IF_ERROR(CompareUntil(
          project, HourOf(select->Int64(2) / kNanosPerSecond), all));
    }
    const std::string detail = CheckRecord(*select, all);
    if (detail.empty()) continue;
    report_.AddRecordProblem(
        project.name, absl::StrCat("row ", select->Int64(0), ": ", detail));
  }
  TOKENUSAGE_ASSIGN_OR_RETURN(const bool has_deletions,
                              HasDeletions(&database_, project.name));
  if (horizon_ == kNoHorizon && !has_deletions) {
    corrections_.AddProblems(project.name, &report_);
  }
  return CompareUntil(project, kNever, all);
}

std::string CheckRun::CheckRecord(const SqliteStatement& row, AllSeries* all) {
  const std::string id = RecordIdOf({row.IsBlob(3), std::string(row.Blob(3))});
  const std::int64_t time = row.Int64(2);
  const std::string detail = CheckStoredRecord(row.Blob(4), id, time, &record_);
  if (!detail.empty()) return detail;
  const auto series = all->find(row.Int64(1));
  if (series == all->end()) return "its series is not one of its project";
  RollupKey key = RollupKeyOf(record_, time);
  if (!(series->second.names == key.series)) {
    return "its operation, provider and model are not those of its series";
  }
  if (!row.IsNull(6)) {
    record_.set_corrected_by(
        RecordIdOf({row.IsBlob(6), std::string(row.Blob(6))}));
  }
  if (horizon_ == kNoHorizon) corrections_.Add(record_);
  const UsageCounts counts = CountRecord(record_);
  if (Counts(record_)) {
    const std::string label_set = LabelSetOf(labels_.labels, record_);
    if (!label_set.empty() && known_label_sets_.count(label_set) == 0) {
      return "its labels are no label set of its project";
    }
    const auto add = [&](RollupKey to, Rollups* rollups) {
      const auto [rollup, added] = rollups->try_emplace(std::move(to));
      rollup->second.Add(counts);
      if (added) ++expected_count_;
    };
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

absl::Status CheckRun::CompareUntil(const Project& project,
                                    std::int64_t end_seconds, AllSeries* all) {
  const CellRange range = {compared_seconds_, end_seconds};
  for (auto& [id, series] : *all) {
    Rollups expected;
    const auto end =
        series.expected.lower_bound({kQuarterHourSeconds, end_seconds, {}});
    for (auto it = series.expected.begin(); it != end;) {
      expected.insert(series.expected.extract(it++));
    }
    expected_count_ -= expected.size();
    expected.merge(CoarserRollupsOf(expected));
    Rollups found;
    for (const SqliteRollupTable& table : {kQuarterHourTable, kHourTable}) {
      TOKENUSAGE_ASSIGN_OR_RETURN(
          Rollups rollups,
          ReadRollups(project, id, series.names, table, range));
      found.merge(rollups);
    }
    report_.AddRollups(found.size());
    report_.CompareRollups(project.name, expected, found);
  }
  TOKENUSAGE_RETURN_IF_ERROR(CompareLabelsUntil(project, end_seconds, *all));
  compared_seconds_ = end_seconds;
  return absl::OkStatus();
}

absl::Status CheckRun::CompareLabelsUntil(const Project& project,
                                          std::int64_t end_seconds,
                                          const AllSeries& all) {
  Rollups expected;
  const auto end =
      expected_by_label_.lower_bound({kQuarterHourSeconds, end_seconds, {}});
  for (auto it = expected_by_label_.begin(); it != end;) {
    expected.insert(expected_by_label_.extract(it++));
  }
  expected_count_ -= expected.size();
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const Rollups found,
      ReadLabelRollups(project, all, kLabelQuarterHourTable,
                       {compared_seconds_, end_seconds}, 0, 1));
  report_.AddRollups(found.size());
  report_.CompareRollups(project.name, expected, found);
  return absl::OkStatus();
}

absl::Status CheckRun::CompareMonths(const Project& project,
                                     const AllSeries& all) {
  // Returns the least or greatest cell_start of a table; 0 if it has none.
  const auto edge = [&](const char* which, const SqliteRollupTable& table) {
    return database_.QueryInt64(absl::StrCat("SELECT ", which,
                                             "(cell_start) FROM ", table.name,
                                             " WHERE project_id=", project.id));
  };
  std::int64_t first = kNever;
  std::int64_t last = 0;
  for (const SqliteRollupTable& table :
       {kLabelQuarterHourTable, kLabelMonthTable}) {
    TOKENUSAGE_ASSIGN_OR_RETURN(const std::int64_t least, edge("min", table));
    TOKENUSAGE_ASSIGN_OR_RETURN(const std::int64_t greatest,
                                edge("max", table));
    if (greatest == 0) continue;
    first = std::min(first, least);
    last = std::max(last, greatest);
  }
  if (last == 0) return absl::OkStatus();
  for (std::int64_t month = MonthOf(first); month <= last;
       month = MonthAfter(month)) {
    const CellRange range = {month, MonthAfter(month)};
    TOKENUSAGE_ASSIGN_OR_RETURN(
        const std::int64_t count,
        database_.QueryInt64(absl::StrCat(
            "SELECT count(*) FROM label_rollup_month WHERE project_id=",
            project.id, " AND cell_start=", month)));
    // To bound memory.
    const int parts =
        1 + static_cast<int>(static_cast<std::size_t>(count) /
                             std::max<std::size_t>(1, options_.max_rollups));
    for (int part = 0; part < parts; ++part) {
      TOKENUSAGE_ASSIGN_OR_RETURN(
          const Rollups quarter_hours,
          ReadLabelRollups(project, all, kLabelQuarterHourTable, range, part,
                           parts));
      TOKENUSAGE_ASSIGN_OR_RETURN(
          const Rollups months,
          ReadLabelRollups(project, all, kLabelMonthTable, range, part, parts));
      report_.AddRollups(months.size());
      report_.CompareRollups(project.name, CoarserRollupsOf(quarter_hours),
                             months);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Rollups> CheckRun::ReadLabelRollups(
    const Project& project, const AllSeries& all,
    const SqliteRollupTable& table, CellRange range, int part, int parts) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteStatement * select,
      database_.Cached(absl::StrCat(
          "SELECT ", kRollupColumns, ", label_set_id FROM ", table.name,
          " WHERE project_id=?1 AND cell_start>=?2 AND cell_start<?3 AND "
          "label_set_id%?4=?5 ORDER BY cell_start")));
  const SqliteStatement::Use use(select);
  select->Bind(1, project.id);
  select->Bind(2, range.start_seconds);
  select->Bind(3, range.end_seconds);
  select->Bind(4, parts);
  select->Bind(5, part);
  Rollups rollups;
  for (;;) {
    TOKENUSAGE_ASSIGN_OR_RETURN(const bool row, select->Step());
    if (!row) return rollups;
    TOKENUSAGE_RETURN_IF_ERROR(deadline_.Check());
    const auto series = all.find(select->Int64(0));
    const auto label_set = label_sets_.find(select->Int64(kRollupColumnCount));
    UsageSum sum;
    const absl::Status status = AddRollup(*select, database_.path(), &sum);
    if (!status.ok()) {
      report_.AddStorageProblem(project.name, FromAbsl(status.message()));
    } else if (series != all.end() && label_set != label_sets_.end()) {
      SeriesNames names = series->second.names;
      names.labels = label_set->second;
      rollups[{table.cell_seconds, select->Int64(kCellStartColumn),
               std::move(names)}] = std::move(sum);
    }
  }
}

absl::Status CheckRun::CompareHoursBeforeHorizon(const Project& project,
                                                 const AllSeries& all) {
  if (horizon_ == kNoHorizon) return absl::OkStatus();
  // A year at a time, to bound memory.
  constexpr std::int64_t kStep = kHourSeconds * 24 * 366;
  const std::int64_t end = horizon_ / kNanosPerSecond;
  for (std::int64_t from = 0; from < end; from += kStep) {
    const CellRange range = {from, std::min(end, from + kStep)};
    for (const auto& [id, series] : all) {
      TOKENUSAGE_ASSIGN_OR_RETURN(
          const Rollups quarter_hours,
          ReadRollups(project, id, series.names, kQuarterHourTable, range));
      TOKENUSAGE_ASSIGN_OR_RETURN(
          const Rollups hours,
          ReadRollups(project, id, series.names, kHourTable, range));
      report_.CompareRollups(project.name, CoarserRollupsOf(quarter_hours),
                             hours);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Rollups> CheckRun::ReadRollups(const Project& project,
                                              std::int64_t series_id,
                                              const SeriesNames& names,
                                              const SqliteRollupTable& table,
                                              CellRange range) {
  TOKENUSAGE_ASSIGN_OR_RETURN(SqliteStatement * select,
                              SelectRollups(&database_, table));
  const SqliteStatement::Use use(select);
  select->Bind(1, series_id);
  select->Bind(2, range.start_seconds);
  select->Bind(3, range.end_seconds);
  Rollups rollups;
  for (;;) {
    TOKENUSAGE_ASSIGN_OR_RETURN(const bool row, select->Step());
    if (!row) return rollups;
    TOKENUSAGE_RETURN_IF_ERROR(deadline_.Check());
    UsageSum sum;
    const absl::Status status = AddRollup(*select, database_.path(), &sum);
    if (status.ok()) {
      const std::int64_t start = select->Int64(kCellStartColumn);
      rollups[{table.cell_seconds, start, names}] = std::move(sum);
    } else {
      report_.AddStorageProblem(project.name, FromAbsl(status.message()));
    }
  }
}

}  // namespace

absl::StatusOr<CheckReport> CheckSqliteContent(SqliteDatabase* database,
                                               const CheckOptions& options) {
  return CheckRun(database, options).Run();
}

}  // namespace tokenusage
