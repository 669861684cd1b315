// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/sqlite/table/rollups.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <type_traits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/record/record_counts.h"
#include "tokenusage/store/deadline.h"
#include "tokenusage/store/rollup/stored_record.h"
#include "tokenusage/store/sqlite/table/measure_sums.h"

namespace tokenusage {
namespace {

// Up to about a kilobyte each, for each of two tables.
constexpr std::size_t kMaxRememberedSums = 4096;

// The most rollups that a rebuild holds in memory, of the same size.
constexpr std::size_t kMaxRebuiltRollups = 100'000;

// Returns the condition that selects one rollup. All statements on one rollup
// have these parameters: ?1 series_id, ?2 cell_start, ?3 project_id,
// ?4 label_set_id, ?5 the expected record_count, ?6 to ?9 the new counts and
// measure_sums.
std::string KeyOf(const SqliteRollupTable& table) {
  return absl::StrCat(
      " WHERE ", table.by_label ? "project_id=?3 AND label_set_id=?4 AND " : "",
      "series_id=?1 AND cell_start=?2");
}

std::string InsertSql(const SqliteRollupTable& table) {
  return absl::StrCat("INSERT INTO ", table.name, "(", kRollupColumns,
                      table.by_label ? ", project_id, label_set_id" : "",
                      ") VALUES(?1, ?2, ?6, ?7, ?8, ?9",
                      table.by_label ? ", ?3, ?4)" : ")");
}

// Returns the statement that changes a rollup. This and the next change nothing
// if the number of records is not the expected one.
std::string UpdateSql(const SqliteRollupTable& table) {
  return absl::StrCat("UPDATE ", table.name,
                      " SET record_count=?6, inconsistent_record_count=?7, "
                      "unknown_usage_record_count=?8, measure_sums=?9",
                      KeyOf(table), " AND record_count=?5");
}

std::string DeleteSql(const SqliteRollupTable& table) {
  return absl::StrCat("DELETE FROM ", table.name, KeyOf(table),
                      " AND record_count=?5");
}

// Returns a cell's key for a cache: its bytes.
std::string_view KeyOf(const SqliteCell& cell) {
  static_assert(std::has_unique_object_representations_v<SqliteCell>);
  return {reinterpret_cast<const char*>(&cell), sizeof(cell)};
}

// Returns DATA_LOSS, naming the rollup.
absl::Status RollupError(const std::string& path, std::int64_t series_id,
                         std::int64_t cell_start, const char* what) {
  return DamagedError(
      path, absl::StrCat("the rollup of series ", series_id, " at ",
                         absl::FormatTime("%Y-%m-%dT%H:%MZ",
                                          absl::FromUnixSeconds(cell_start),
                                          absl::UTCTimeZone()),
                         " ", what));
}

// Returns UNAVAILABLE unless the last statement changed one row.
absl::Status CheckChangedOne(SqliteDatabase* database) {
  if (database->ChangedRows() == 1) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("database ", database->path(),
                   ": its rollups were changed by something else"));
}

// Appended to a statement on a table of rollups: those from their project's
// horizon on.
constexpr char kFromHorizon[] =
    " AS cell WHERE cell_start>=ifnull((SELECT horizon FROM series "
    "JOIN retention USING(project_id) WHERE series.series_id=cell.series_id), "
    "cell_start)";

// Adds all records from their project's horizon on that count to the rollups,
// and marks those that contradict themselves by the rules of this program.
absl::Status AddRecords(SqliteDatabase* database, const CallLimits& limits,
                        Rebuild* rebuild) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteRows rows,
      database->Select(
          "SELECT row_id, series_id, event_time, inconsistent, record, "
          "corrected_by "
          "FROM usage_record NOT INDEXED WHERE event_time>=ifnull("
          "(SELECT horizon*1000000000 FROM retention "
          "WHERE project_id=usage_record.project_id), event_time)"));
  DeadlineCheck deadline(limits);
  SqliteRollups rollups;
  v1::UsageRecord record;
  for (;;) {
    TOKENUSAGE_ASSIGN_OR_RETURN(const bool row, rows.Step());
    if (!row) return rollups.Flush(database);
    TOKENUSAGE_RETURN_IF_ERROR(deadline.Check());
    TOKENUSAGE_RETURN_IF_ERROR(
        ReadStoredRecord(database->path(), rows.Blob(4), &record));
    const UsageCounts counts = CountRecord(record);
    if (rows.IsNull(5) && Counts(record)) {
      rollups.Add(rows.Int64(1), rows.Int64(2), counts);
    }
    const std::int64_t inconsistent = counts.inconsistent() ? 1 : 0;
    if (rows.Int64(3) != inconsistent) {
      // The rows that are updated were read already.
      TOKENUSAGE_RETURN_IF_ERROR(database->Run(
          "UPDATE usage_record SET inconsistent=?2 WHERE row_id=?1",
          {rows.Int64(0), inconsistent}));
    }
    ++rebuild->record_count;
    if (rollups.size() >= kMaxRebuiltRollups) {
      TOKENUSAGE_RETURN_IF_ERROR(rollups.Flush(database));
    }
  }
}

}  // namespace

SqliteSumWriter::SqliteSumWriter(const SqliteRollupTable& table,
                                 std::size_t max_remembered)
    : table_(table),
      max_remembered_(max_remembered),
      select_(absl::StrCat("SELECT ", kRollupColumns, " FROM ", table.name,
                           KeyOf(table))),
      insert_(InsertSql(table)),
      update_(UpdateSql(table)),
      remove_(DeleteSql(table)),
      stored_(std::max<std::size_t>(max_remembered, 1)) {}

absl::Status SqliteSumWriter::Add(const SqliteSums& changes,
                                  SqliteDatabase* database) {
  if (changes.empty()) return absl::OkStatus();
  struct Change {
    SqliteCell cell;
    const UsageSum* sum;
  };
  // In the order of the table: neighbours share a page.
  std::vector<Change> sorted;
  sorted.reserve(changes.size());
  for (const auto& [cell, sum] : changes) {
    sorted.push_back({CellAround(cell), &sum});
  }
  std::sort(sorted.begin(), sorted.end(),
            [](const Change& a, const Change& b) { return a.cell < b.cell; });
  if (max_remembered_ == 0) ForgetStored();
  for (auto change = sorted.begin(); change != sorted.end();) {
    const SqliteCell cell = change->cell;
    UsageSum* sum = stored_.Find(KeyOf(cell));
    if (sum == nullptr) {
      TOKENUSAGE_ASSIGN_OR_RETURN(UsageSum stored, Read(cell, database));
      sum = stored_.Insert(KeyOf(cell), std::move(stored));
    }
    const std::int64_t stored_records = sum->record_count;
    for (; change != sorted.end() && change->cell == cell; ++change) {
      sum->Add(*change->sum);
    }
    TOKENUSAGE_RETURN_IF_ERROR(Write(cell, stored_records, *sum, database));
  }
  return absl::OkStatus();
}

SqliteCell SqliteSumWriter::CellAround(SqliteCell cell) const {
  if (table_.cell_seconds == kHourSeconds) {
    cell.cell_start = HourOf(cell.cell_start);
  } else if (table_.cell_seconds == kMonthSeconds) {
    cell.cell_start = MonthOf(cell.cell_start);
  }
  return cell;
}

absl::StatusOr<UsageSum> SqliteSumWriter::Read(const SqliteCell& cell,
                                               SqliteDatabase* database) const {
  const std::array<SqliteValue, 4> key = {cell.series_id, cell.cell_start,
                                          cell.project_id, cell.label_set_id};
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteRows rows, database->Select(select_, SqliteParams(key).first(
                                                     table_.by_label ? 4 : 2)));
  TOKENUSAGE_ASSIGN_OR_RETURN(const bool found, rows.Step());
  UsageSum sum;
  if (!found) return sum;
  TOKENUSAGE_RETURN_IF_ERROR(AddRollup(rows, database->path(), &sum));
  return sum;
}

absl::Status SqliteSumWriter::Write(const SqliteCell& cell,
                                    std::int64_t stored_records,
                                    const UsageSum& sum,
                                    SqliteDatabase* database) const {
  if (!sum.IsOfRecords()) {
    return RollupError(database->path(), cell.series_id, cell.cell_start,
                       "lacks records that it should hold");
  }
  const bool is_new = stored_records == 0;
  const bool is_empty = sum.record_count == 0;
  if (is_new && is_empty) return absl::OkStatus();
  std::string measure_sums;
  EncodeMeasureSums(sum, &measure_sums);
  const std::array<SqliteValue, 9> values = {cell.series_id,
                                             cell.cell_start,
                                             cell.project_id,
                                             cell.label_set_id,
                                             stored_records,
                                             sum.record_count,
                                             sum.inconsistent_record_count,
                                             sum.unknown_usage_record_count,
                                             SqliteBlob{measure_sums}};
  TOKENUSAGE_RETURN_IF_ERROR(
      is_empty ? database->Run(remove_, SqliteParams(values).first(5))
               : database->Run(is_new ? insert_ : update_, values));
  return CheckChangedOne(database);
}

SqliteRollups::SqliteRollups()
    : quarter_hour_writer_(kQuarterHourTable, kMaxRememberedSums),
      hour_writer_(kHourTable, kMaxRememberedSums) {}

void SqliteRollups::Add(std::int64_t series_id, std::int64_t event_time_nanos,
                        const UsageCounts& counts) {
  quarter_hours_[{0, QuarterHourOf(event_time_nanos), 0, series_id}].Add(
      counts);
}

void SqliteRollups::Subtract(std::int64_t series_id,
                             std::int64_t event_time_nanos,
                             const UsageCounts& counts) {
  quarter_hours_[{0, QuarterHourOf(event_time_nanos), 0, series_id}].Subtract(
      counts);
}

absl::Status SqliteRollups::Flush(SqliteDatabase* database) {
  TOKENUSAGE_RETURN_IF_ERROR(
      quarter_hour_writer_.Add(quarter_hours_, database));
  TOKENUSAGE_RETURN_IF_ERROR(hour_writer_.Add(quarter_hours_, database));
  quarter_hours_.clear();
  return absl::OkStatus();
}

std::string SelectRollups(const SqliteRollupTable& table) {
  return absl::StrCat(
      "SELECT ", kRollupColumns, " FROM ", table.name,
      " WHERE series_id=?1 AND cell_start>=?2 AND cell_start<?3 "
      "ORDER BY cell_start");
}

absl::Status AddRollup(const SqliteRows& row, const std::string& path,
                       UsageSum* sum) {
  const std::int64_t records = row.Int64(2);
  const std::int64_t inconsistent = row.Int64(3);
  const std::int64_t unknown = row.Int64(4);
  sum->record_count += records;
  sum->inconsistent_record_count += inconsistent;
  sum->unknown_usage_record_count += unknown;
  if (records > 0 && inconsistent >= 0 && inconsistent <= records &&
      unknown >= 0 && unknown <= records && AddMeasureSums(row.Blob(5), sum)) {
    return absl::OkStatus();
  }
  return RollupError(path, row.Int64(0), row.Int64(kCellStartColumn),
                     "cannot be read");
}

absl::StatusOr<Rebuild> RebuildSqliteRollups(SqliteDatabase* database,
                                             const CallLimits& limits) {
  TOKENUSAGE_RETURN_IF_ERROR(CheckLimits(limits));
  for (const SqliteRollupTable& table : {kQuarterHourTable, kHourTable}) {
    TOKENUSAGE_RETURN_IF_ERROR(database->Execute(
        absl::StrCat("DELETE FROM ", table.name, kFromHorizon)));
  }
  Rebuild rebuild;
  TOKENUSAGE_RETURN_IF_ERROR(AddRecords(database, limits, &rebuild));
  for (const SqliteRollupTable& table : {kQuarterHourTable, kHourTable}) {
    TOKENUSAGE_ASSIGN_OR_RETURN(
        const std::int64_t count,
        database->QueryInt64(
            absl::StrCat("SELECT count(*) FROM ", table.name, kFromHorizon)));
    rebuild.rollup_count += count;
  }
  return rebuild;
}

}  // namespace tokenusage
