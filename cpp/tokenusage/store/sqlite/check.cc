// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/sqlite/check.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tokenusage/base/excerpt.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/base/string_view.h"
#include "tokenusage/record/token_counts.h"
#include "tokenusage/store/deadline.h"
#include "tokenusage/store/query/field_values.h"
#include "tokenusage/store/query/query_plan.h"
#include "tokenusage/store/sqlite/horizon.h"
#include "tokenusage/store/sqlite/record_key.h"
#include "tokenusage/store/sqlite/rollups.h"
#include "tokenusage/store/sqlite/schema.h"

namespace tokenusage {
namespace {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

// So many expected cells are held in memory at a time.
constexpr std::size_t kMaxCells = 100'000;

// What SQLite says of a page may hold what it found there.
constexpr std::size_t kMaxDetailChars = 200;

constexpr std::int64_t kHourSeconds = kNanosPerHour / kNanosPerSecond;
constexpr std::int64_t kQuarterSeconds = kNanosPerQuarter / kNanosPerSecond;

// A table of sums.
struct Level {
  const char* table;
  std::int64_t seconds;  // of a cell
};
constexpr Level kQuarters = {"rollup_quarter", kQuarterSeconds};
constexpr Level kHours = {"rollup_hour", kHourSeconds};

struct Project {
  std::int64_t id = 0;
  std::string name;
};

// The sums of a series, by the start of their cell in seconds.
using Cells = std::map<std::int64_t, UsageSum>;

Cells HoursOf(const Cells& quarters) {
  Cells hours;
  for (const auto& [start, sum] : quarters) {
    hours[start - start % kHourSeconds].Add(sum);
  }
  return hours;
}

std::string TextOf(const std::optional<TokenAmount>& amount) {
  return amount ? amount->ToDecimal() : "none";
}

std::int64_t EventTimeOf(const v1::UsageRecord& record) {
  return record.event_time().seconds() * kNanosPerSecond +
         record.event_time().nanos();
}

// One check's work.
class CheckRun {
 public:
  CheckRun(SqliteDatabase* database, const CheckOptions& options)
      : database_(*database), options_(options), deadline_(options.limits) {}

  absl::StatusOr<CheckReport> Run();

 private:
  // One project's series, and what their sums must be from a time on.
  struct Series {
    SeriesNames names;
    Cells expected;  // quarters
  };
  using AllSeries = std::map<std::int64_t, Series>;

  absl::Status CheckStorage();
  // Rows that nothing refers to.
  absl::Status CheckOrphans();
  absl::Status CheckProjects();
  absl::StatusOr<std::vector<Project>> LoadProjects();
  absl::StatusOr<AllSeries> LoadSeries(std::int64_t project_id);

  absl::Status CheckRecords(const Project& project, AllSeries* all);
  // What is wrong with a record's row; empty where nothing is. Adds the record
  // to what is expected.
  std::string CheckRecord(const SqliteStatement& row, AllSeries* all);
  // Compares the cells before `end_seconds` with what is expected of them.
  absl::Status CompareUntil(const Project& project, std::int64_t end_seconds,
                            AllSeries* all);
  absl::Status CompareSeries(const Project& project, std::int64_t series_id,
                             const SeriesNames& names, Level level,
                             TimeWindow seconds, const Cells& expected);
  // Hours before the horizon against their quarters: of records there are none.
  absl::Status CompareHoursBeforeHorizon(const Project& project,
                                         const AllSeries& all);
  absl::StatusOr<Cells> ReadCells(const Project& project,
                                  std::int64_t series_id, Level level,
                                  TimeWindow seconds);
  void CompareCell(const Project& project, const SeriesNames& names,
                   Level level, std::int64_t start, const UsageSum* expected,
                   const UsageSum* found);

  absl::StatusOr<std::int64_t> Count(const std::string& sql);
  void AddStorage(const std::string& project, std::string_view detail);
  void Add(CheckProblem problem);

  SqliteDatabase& database_;
  const CheckOptions& options_;
  DeadlineCheck deadline_;
  CheckReport report_;
  std::int64_t horizon_ = kNoHorizon;  // in nanoseconds
  std::int64_t compared_seconds_ = 0;  // cells before are done
  std::size_t expected_cells_ = 0;     // held in memory
  v1::UsageRecord record_;             // kept to use its memory again
};

absl::StatusOr<CheckReport> CheckRun::Run() {
  TOKENUSAGE_RETURN_IF_ERROR(deadline_.CheckNow());
  for (absl::Status (CheckRun::*part)() :
       {&CheckRun::CheckStorage, &CheckRun::CheckOrphans,
        &CheckRun::CheckProjects}) {
    const absl::Status status = (this->*part)();
    // Damage is what was looked for; the other parts may find more.
    if (absl::IsDataLoss(status)) {
      AddStorage("", FromAbsl(status.message()));
    } else if (!status.ok()) {
      return status;
    }
  }
  return std::move(report_);
}

absl::Status CheckRun::CheckStorage() {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteStatement * check,
      database_.Cached(absl::StrCat("PRAGMA integrity_check(",
                                    options_.max_problems + 1, ")")));
  const SqliteStatement::Use use(check);
  for (;;) {
    TOKENUSAGE_ASSIGN_OR_RETURN(const bool row, check->Step());
    if (!row) return deadline_.CheckNow();
    // A row may be many lines; the first of these names the database, which is
    // always "main".
    for (const absl::string_view line :
         absl::StrSplit(ToAbsl(check->Text(0)), '\n', absl::SkipEmpty())) {
      if (line == "ok" || absl::StartsWith(line, "*** in database ")) continue;
      AddStorage("", Excerpt(FromAbsl(line), kMaxDetailChars));
    }
  }
}

absl::StatusOr<std::int64_t> CheckRun::Count(const std::string& sql) {
  TOKENUSAGE_ASSIGN_OR_RETURN(SqliteStatement * select, database_.Cached(sql));
  const SqliteStatement::Use use(select);
  TOKENUSAGE_RETURN_IF_ERROR(select->Step().status());
  return select->Int64(0);
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
           {"quarters of no series",
            "rollup_quarter WHERE series_id NOT IN "
            "(SELECT series_id FROM series)"},
           {"hours of no series",
            "rollup_hour WHERE series_id NOT IN "
            "(SELECT series_id FROM series)"}}) {
    TOKENUSAGE_RETURN_IF_ERROR(deadline_.CheckNow());
    TOKENUSAGE_ASSIGN_OR_RETURN(
        const std::int64_t count,
        Count(absl::StrCat("SELECT count(*) FROM ", orphans.sql)));
    if (count > 0) AddStorage("", absl::StrCat(count, " ", orphans.what));
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
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteStatement * select,
      database_.Cached("SELECT series_id, operation, provider, model "
                       "FROM series WHERE project_id=?1"));
  const SqliteStatement::Use use(select);
  select->Bind(1, project_id);
  AllSeries all;
  for (;;) {
    TOKENUSAGE_ASSIGN_OR_RETURN(const bool row, select->Step());
    if (!row) return all;
    all[select->Int64(0)].names = {std::string(select->Text(1)),
                                   std::string(select->Text(2)),
                                   std::string(select->Text(3))};
  }
}

absl::Status CheckRun::CheckProjects() {
  TOKENUSAGE_ASSIGN_OR_RETURN(horizon_, ReadHorizon(&database_));
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::vector<Project> projects,
                              LoadProjects());
  for (const Project& project : projects) {
    const bool deleted = IsDeletedProject(project.name);
    TOKENUSAGE_ASSIGN_OR_RETURN(
        const std::int64_t left_over,
        Count(absl::StrCat("SELECT count(*) FROM usage_record INDEXED BY "
                           "usage_record_by_time WHERE project_id=",
                           project.id, " AND event_time<",
                           deleted ? kNever : horizon_)));
    report_.left_over_count += left_over;
    if (deleted) continue;
    TOKENUSAGE_ASSIGN_OR_RETURN(AllSeries all, LoadSeries(project.id));
    TOKENUSAGE_RETURN_IF_ERROR(CompareHoursBeforeHorizon(project, all));
    TOKENUSAGE_RETURN_IF_ERROR(CheckRecords(project, &all));
  }
  return absl::OkStatus();
}

absl::Status CheckRun::CheckRecords(const Project& project, AllSeries* all) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteStatement * select,
      database_.Cached("SELECT row_id, series_id, event_time, record_id, "
                       "record FROM usage_record INDEXED BY "
                       "usage_record_by_time WHERE project_id=?1 AND "
                       "event_time>=?2 ORDER BY event_time"));
  const SqliteStatement::Use use(select);
  select->Bind(1, project.id);
  select->Bind(2, horizon_);
  compared_seconds_ =
      horizon_ == kNoHorizon ? horizon_ : horizon_ / kNanosPerSecond;
  for (;;) {
    TOKENUSAGE_ASSIGN_OR_RETURN(const bool row, select->Step());
    if (!row) return CompareUntil(project, kNever, all);
    TOKENUSAGE_RETURN_IF_ERROR(deadline_.Check());
    ++report_.record_count;
    const std::int64_t second = select->Int64(2) / kNanosPerSecond;
    if (expected_cells_ >= kMaxCells) {
      TOKENUSAGE_RETURN_IF_ERROR(
          CompareUntil(project, second - second % kHourSeconds, all));
    }
    std::string detail = CheckRecord(*select, all);
    if (detail.empty()) continue;
    CheckProblem problem;
    problem.kind = CheckProblem::Kind::kRecord;
    problem.project = project.name;
    problem.detail = absl::StrCat("row ", select->Int64(0), ": ", detail);
    Add(std::move(problem));
  }
}

std::string CheckRun::CheckRecord(const SqliteStatement& row, AllSeries* all) {
  const std::string_view bytes = row.Blob(4);
  if (!record_.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return "it cannot be read";
  }
  const std::string id = RecordIdOf({row.IsBlob(3), std::string(row.Blob(3))});
  if (id != record_.record_id()) {
    return absl::StrCat("its record_id is ", record_.record_id(),
                        ", but it is stored under ", id);
  }
  const std::int64_t time = row.Int64(2);
  if (time != EventTimeOf(record_)) {
    return absl::StrCat("its event_time is ", EventTimeOf(record_),
                        " ns, but it is stored under ", time);
  }
  const auto series = all->find(row.Int64(1));
  if (series == all->end()) return "its series is not one of its project";
  if (SeriesKey(series->second.names) != SeriesKey(record_)) {
    return "its operation, provider and model are not those of its series";
  }
  const std::int64_t quarter = time / kNanosPerQuarter * kQuarterSeconds;
  const auto [cell, added] =
      series->second.expected.try_emplace(quarter, UsageSum());
  cell->second.Add(UsageSum{1, CountsOf(record_)});
  if (added) ++expected_cells_;
  return "";
}

absl::Status CheckRun::CompareUntil(const Project& project,
                                    std::int64_t end_seconds, AllSeries* all) {
  const TimeWindow seconds = {compared_seconds_, end_seconds};
  for (auto& [id, series] : *all) {
    Cells expected;
    const auto end = series.expected.lower_bound(end_seconds);
    for (auto it = series.expected.begin(); it != end;) {
      expected.insert(series.expected.extract(it++));
    }
    expected_cells_ -= expected.size();
    TOKENUSAGE_RETURN_IF_ERROR(
        CompareSeries(project, id, series.names, kQuarters, seconds, expected));
    TOKENUSAGE_RETURN_IF_ERROR(CompareSeries(project, id, series.names, kHours,
                                             seconds, HoursOf(expected)));
  }
  compared_seconds_ = end_seconds;
  return absl::OkStatus();
}

absl::Status CheckRun::CompareSeries(const Project& project,
                                     std::int64_t series_id,
                                     const SeriesNames& names, Level level,
                                     TimeWindow seconds,
                                     const Cells& expected) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const Cells found,
                              ReadCells(project, series_id, level, seconds));
  report_.cell_count += static_cast<std::int64_t>(found.size());
  for (const auto& [start, sum] : found) {
    const auto other = expected.find(start);
    CompareCell(project, names, level, start,
                other == expected.end() ? nullptr : &other->second, &sum);
  }
  for (const auto& [start, sum] : expected) {
    if (found.count(start) > 0) continue;
    CompareCell(project, names, level, start, &sum, nullptr);
  }
  return absl::OkStatus();
}

absl::Status CheckRun::CompareHoursBeforeHorizon(const Project& project,
                                                 const AllSeries& all) {
  if (horizon_ == kNoHorizon) return absl::OkStatus();
  const std::int64_t cell_count = report_.cell_count;
  // A year at a time, so that memory is bounded.
  constexpr std::int64_t kStep = kHourSeconds * 24 * 366;
  const std::int64_t end = horizon_ / kNanosPerSecond;
  for (std::int64_t from = 0; from < end; from += kStep) {
    const TimeWindow seconds = {from, std::min(end, from + kStep)};
    for (const auto& [id, series] : all) {
      TOKENUSAGE_ASSIGN_OR_RETURN(const Cells quarters,
                                  ReadCells(project, id, kQuarters, seconds));
      TOKENUSAGE_RETURN_IF_ERROR(CompareSeries(
          project, id, series.names, kHours, seconds, HoursOf(quarters)));
    }
  }
  // Those that were compared with records are counted.
  report_.cell_count = cell_count;
  return absl::OkStatus();
}

absl::StatusOr<Cells> CheckRun::ReadCells(const Project& project,
                                          std::int64_t series_id, Level level,
                                          TimeWindow seconds) {
  std::string sql = "SELECT cell_start, record_count";
  for (const char* column : kSumColumns) absl::StrAppend(&sql, ", ", column);
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteStatement * select,
      database_.Cached(absl::StrCat(sql, " FROM ", level.table,
                                    " WHERE series_id=?1 AND cell_start>=?2 "
                                    "AND cell_start<?3")));
  const SqliteStatement::Use use(select);
  select->Bind(1, series_id);
  select->Bind(2, seconds.start_nanos);
  select->Bind(3, seconds.end_nanos);
  Cells cells;
  for (;;) {
    TOKENUSAGE_ASSIGN_OR_RETURN(const bool row, select->Step());
    if (!row) return cells;
    TOKENUSAGE_RETURN_IF_ERROR(deadline_.Check());
    const std::int64_t start = select->Int64(0);
    auto sum = ReadRollup(*select, 1, database_.path());
    if (sum.ok()) {
      cells[start] = *std::move(sum);
    } else {
      AddStorage(project.name,
                 absl::StrCat(level.table, " of series ", series_id, " at ",
                              start, ": a sum does not have 16 bytes"));
    }
  }
}

void CheckRun::CompareCell(const Project& project, const SeriesNames& names,
                           Level level, std::int64_t start,
                           const UsageSum* expected, const UsageSum* found) {
  CheckProblem problem;
  problem.kind = CheckProblem::Kind::kTotal;
  problem.project = project.name;
  problem.operation = names.operation;
  problem.provider = names.provider;
  problem.model = names.model;
  problem.cell = {start * kNanosPerSecond,
                  (start + level.seconds) * kNanosPerSecond};
  const auto add = [&](const char* measure, std::string right,
                       std::string wrong) {
    problem.measure = measure;
    problem.expected = std::move(right);
    problem.found = std::move(wrong);
    Add(problem);
  };
  const std::string none = "none";
  const auto count = [&](const UsageSum* sum) {
    return sum == nullptr ? none : std::to_string(sum->record_count);
  };
  if (count(expected) != count(found)) {
    add("record_count", count(expected), count(found));
  }
  if (expected == nullptr || found == nullptr) return;
  for (std::size_t i = 0; i < kTokenMeasureCount; ++i) {
    const auto& right = expected->counts[kTokenMeasures[i]];
    const auto& wrong = found->counts[kTokenMeasures[i]];
    if (right != wrong) add(kSumColumns[i], TextOf(right), TextOf(wrong));
  }
}

void CheckRun::AddStorage(const std::string& project, std::string_view detail) {
  CheckProblem problem;
  problem.kind = CheckProblem::Kind::kStorage;
  problem.project = project;
  problem.detail = std::string(detail);
  Add(std::move(problem));
}

void CheckRun::Add(CheckProblem problem) {
  ++report_.problem_count;
  if (static_cast<int>(report_.problems.size()) < options_.max_problems) {
    report_.problems.push_back(std::move(problem));
  }
}

}  // namespace

absl::StatusOr<CheckReport> CheckSqliteContent(SqliteDatabase* database,
                                               const CheckOptions& options) {
  return CheckRun(database, options).Run();
}

}  // namespace tokenusage
