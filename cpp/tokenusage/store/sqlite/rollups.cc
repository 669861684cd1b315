// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/sqlite/rollups.h"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/store/deadline.h"
#include "tokenusage/store/rollup/stored_record.h"
#include "tokenusage/store/sqlite/amount_blob.h"

namespace tokenusage {
namespace {

// About 200 bytes each, for each of the two tables.
constexpr std::size_t kMaxRememberedSums = 4096;

// The most rollups that a rebuild holds in memory, about 200 bytes each.
constexpr std::size_t kMaxRebuiltRollups = 200'000;

constexpr char kKey[] = " WHERE series_id=?1 AND cell_start=?2";

std::string InsertSql(const std::string& table) {
  std::string sql =
      absl::StrCat("INSERT INTO ", table, "(series_id, cell_start, ",
                   SqliteRollupColumns(), ") VALUES(?1, ?2, ?3");
  for (std::size_t i = 0; i < kTokenMeasureCount; ++i) {
    absl::StrAppend(&sql, ", ?", i + 4);
  }
  return sql + ")";
}

// Changes nothing if the number of records is not the expected one.
std::string UpdateSql(const std::string& table) {
  std::string sql = absl::StrCat("UPDATE ", table, " SET record_count=?3");
  for (std::size_t i = 0; i < kTokenMeasureCount; ++i) {
    absl::StrAppend(&sql, ", ", kTokenMeasureNames[i], "=?", i + 4);
  }
  return absl::StrCat(sql, kKey, " AND record_count=?", kTokenMeasureCount + 4);
}

// Appended to a statement on a table of rollups: those from their project's
// horizon on.
constexpr char kFromHorizon[] =
    " AS cell WHERE cell_start>=ifnull((SELECT horizon FROM series "
    "JOIN retention USING(project_id) WHERE series.series_id=cell.series_id), "
    "cell_start)";

// Adds all records from their project's horizon on to the rollups.
absl::Status AddRecords(SqliteDatabase* database, const CallLimits& limits,
                        Rebuild* rebuild) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteStatement * select,
      database->Cached(
          "SELECT series_id, event_time, record FROM usage_record NOT INDEXED "
          "WHERE event_time>=ifnull((SELECT horizon*1000000000 FROM retention "
          "WHERE project_id=usage_record.project_id), event_time)"));
  const SqliteStatement::Use use(select);
  DeadlineCheck deadline(limits);
  SqliteRollups rollups;
  v1::UsageRecord record;
  for (;;) {
    TOKENUSAGE_ASSIGN_OR_RETURN(const bool row, select->Step());
    if (!row) return rollups.Flush(database);
    TOKENUSAGE_RETURN_IF_ERROR(deadline.Check());
    TOKENUSAGE_RETURN_IF_ERROR(
        ReadStoredRecord(database->path(), select->Blob(2), &record));
    rollups.Add(select->Int64(0), select->Int64(1), CountsOf(record));
    ++rebuild->record_count;
    if (rollups.size() >= kMaxRebuiltRollups) {
      TOKENUSAGE_RETURN_IF_ERROR(rollups.Flush(database));
    }
  }
}

}  // namespace

SqliteRollups::Table::Table(const SqliteRollupTable& table)
    : select(absl::StrCat("SELECT ", SqliteRollupColumns(), " FROM ",
                          table.name, kKey)),
      insert(InsertSql(table.name)),
      update(UpdateSql(table.name)) {}

void SqliteRollups::Add(std::int64_t series_id, std::int64_t event_time_nanos,
                        const TokenCounts& counts) {
  quarter_hours_[Cell(series_id, QuarterHourOf(event_time_nanos))].Add(
      UsageSum{1, counts});
}

absl::Status SqliteRollups::Flush(SqliteDatabase* database) {
  Sums hours;
  for (const auto& [cell, sum] : quarter_hours_) {
    hours[Cell(cell.first, HourOf(cell.second))].Add(sum);
  }
  TOKENUSAGE_RETURN_IF_ERROR(
      AddSums(quarter_hours_, &quarter_hour_table_, database));
  TOKENUSAGE_RETURN_IF_ERROR(AddSums(hours, &hour_table_, database));
  quarter_hours_.clear();
  return absl::OkStatus();
}

void SqliteRollups::ForgetStored() {
  quarter_hour_table_.stored.clear();
  hour_table_.stored.clear();
}

absl::Status SqliteRollups::AddSums(const Sums& sums, Table* table,
                                    SqliteDatabase* database) {
  // In the order of the table: neighbours share a page.
  std::vector<Sums::const_pointer> sorted;
  sorted.reserve(sums.size());
  for (const auto& entry : sums) sorted.push_back(&entry);
  std::sort(sorted.begin(), sorted.end(),
            [](auto* a, auto* b) { return a->first < b->first; });
  for (const auto* entry : sorted) {
    const auto& [cell, added] = *entry;
    if (table->stored.size() >= kMaxRememberedSums) table->stored.clear();
    const auto [stored, is_new] = table->stored.try_emplace(cell);
    UsageSum& sum = stored->second;
    if (is_new) {
      TOKENUSAGE_ASSIGN_OR_RETURN(sum, Read(cell, *table, database));
    }
    const UsageSum before = sum;
    sum.Add(added);
    TOKENUSAGE_RETURN_IF_ERROR(Write(cell, before, sum, *table, database));
  }
  return absl::OkStatus();
}

absl::StatusOr<UsageSum> SqliteRollups::Read(const Cell& cell,
                                             const Table& table,
                                             SqliteDatabase* database) {
  TOKENUSAGE_ASSIGN_OR_RETURN(SqliteStatement * select,
                              database->Cached(table.select));
  const SqliteStatement::Use use(select);
  select->Bind(1, cell.first);
  select->Bind(2, cell.second);
  TOKENUSAGE_ASSIGN_OR_RETURN(const bool found, select->Step());
  if (!found) return UsageSum();
  TOKENUSAGE_ASSIGN_OR_RETURN(const UsageSum sum,
                              ReadRollup(*select, 0, database->path()));
  if (sum.record_count > 0) return sum;
  return DamagedError(database->path(), "a rollup of no records");
}

absl::Status SqliteRollups::Write(const Cell& cell, const UsageSum& before,
                                  const UsageSum& sum, const Table& table,
                                  SqliteDatabase* database) {
  const bool is_new = before.record_count == 0;
  TOKENUSAGE_ASSIGN_OR_RETURN(
      SqliteStatement * write,
      database->Cached(is_new ? table.insert : table.update));
  write->Bind(1, cell.first);
  write->Bind(2, cell.second);
  write->Bind(3, sum.record_count);
  std::array<AmountBlob, kTokenMeasureCount> blobs;
  for (std::size_t i = 0; i < kTokenMeasureCount; ++i) {
    const auto& amount = sum.counts[kTokenMeasures[i]];
    const int index = static_cast<int>(i) + 4;
    if (!amount) {
      write->BindNull(index);
      continue;
    }
    blobs[i] = EncodeAmount(*amount);
    write->BindBlob(index, {blobs[i].data(), blobs[i].size()});
  }
  if (!is_new) {
    write->Bind(static_cast<int>(kTokenMeasureCount) + 4, before.record_count);
  }
  TOKENUSAGE_RETURN_IF_ERROR(write->Run());
  if (database->ChangedRows() == 1) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("database ", database->path(),
                   ": its rollups were changed by something else"));
}

const std::string& SqliteRollupColumns() {
  static const auto* const columns = new std::string(
      absl::StrCat("record_count, ", absl::StrJoin(kTokenMeasureNames, ", ")));
  return *columns;
}

absl::StatusOr<SqliteStatement*> SelectRollups(SqliteDatabase* database,
                                               const SqliteRollupTable& table) {
  return database->Cached(absl::StrCat(
      "SELECT cell_start, ", SqliteRollupColumns(), " FROM ", table.name,
      " WHERE series_id=?1 AND cell_start>=?2 AND cell_start<?3 "
      "ORDER BY cell_start"));
}

absl::StatusOr<UsageSum> ReadRollup(const SqliteStatement& row,
                                    int first_column, const std::string& path) {
  UsageSum sum;
  sum.record_count = row.Int64(first_column);
  for (std::size_t i = 0; i < kTokenMeasureCount; ++i) {
    const int column = first_column + 1 + static_cast<int>(i);
    if (row.IsNull(column)) continue;
    const std::optional<TokenAmount> amount = DecodeAmount(row.Blob(column));
    if (!amount) return DamagedError(path, "a rollup cannot be read");
    sum.counts[kTokenMeasures[i]] = *amount;
  }
  return sum;
}

absl::StatusOr<Rebuild> RebuildSqliteRollups(SqliteDatabase* database,
                                             const CallLimits& limits) {
  TOKENUSAGE_RETURN_IF_ERROR(CheckLimits(limits));
  TOKENUSAGE_RETURN_IF_ERROR(database->Execute("BEGIN IMMEDIATE"));
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
  TOKENUSAGE_RETURN_IF_ERROR(database->Execute("COMMIT"));
  return rebuild;
}

}  // namespace tokenusage
