// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/sqlite/rollups.h"

#include <algorithm>
#include <array>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/store/query/query_plan.h"
#include "tokenusage/store/sqlite/amount_blob.h"
#include "tokenusage/store/sqlite/schema.h"

namespace tokenusage {
namespace {

constexpr std::int64_t kSecondsPerQuarter = kNanosPerQuarter / kNanosPerSecond;
constexpr std::int64_t kSecondsPerHour = kNanosPerHour / kNanosPerSecond;

// Some 200 bytes each, for each of the two tables.
constexpr std::size_t kMaxRememberedCells = 4096;

constexpr char kKey[] = " WHERE series_id=?1 AND cell_start=?2";

std::string SelectSql(const std::string& table) {
  return absl::StrCat("SELECT record_count, ", absl::StrJoin(kSumColumns, ", "),
                      " FROM ", table, kKey);
}

std::string InsertSql(const std::string& table) {
  std::string sql = absl::StrCat(
      "INSERT INTO ", table, "(series_id, cell_start, record_count, ",
      absl::StrJoin(kSumColumns, ", "), ") VALUES(?1, ?2, ?3");
  for (std::size_t i = 0; i < kSumColumns.size(); ++i) {
    absl::StrAppend(&sql, ", ?", i + 4);
  }
  return sql + ")";
}

// Changes nothing where the cell has not the number of records that it is
// thought to have.
std::string UpdateSql(const std::string& table) {
  std::string sql = absl::StrCat("UPDATE ", table, " SET record_count=?3");
  for (std::size_t i = 0; i < kSumColumns.size(); ++i) {
    absl::StrAppend(&sql, ", ", kSumColumns[i], "=?", i + 4);
  }
  return absl::StrCat(sql, kKey, " AND record_count=?", kSumColumns.size() + 4);
}

}  // namespace

SqliteRollups::Table::Table(const std::string& name)
    : select(SelectSql(name)),
      insert(InsertSql(name)),
      update(UpdateSql(name)) {}

void SqliteRollups::Add(std::int64_t series_id, std::int64_t event_time_nanos,
                        const TokenCounts& counts) {
  const std::int64_t quarter =
      event_time_nanos / kNanosPerQuarter * kSecondsPerQuarter;
  quarters_[Cell(series_id, quarter)].Add(UsageSum{1, counts});
}

absl::Status SqliteRollups::Flush(SqliteDatabase* database) {
  Cells hours;
  for (const auto& [cell, sum] : quarters_) {
    const std::int64_t hour = cell.second - cell.second % kSecondsPerHour;
    hours[Cell(cell.first, hour)].Add(sum);
  }
  TOKENUSAGE_RETURN_IF_ERROR(AddCells(quarters_, &quarter_table_, database));
  TOKENUSAGE_RETURN_IF_ERROR(AddCells(hours, &hour_table_, database));
  quarters_.clear();
  return absl::OkStatus();
}

void SqliteRollups::ForgetStored() {
  quarter_table_.stored.clear();
  hour_table_.stored.clear();
}

absl::Status SqliteRollups::AddCells(const Cells& cells, Table* table,
                                     SqliteDatabase* database) {
  // In the order of the table, neighbours share a page.
  std::vector<Cells::const_pointer> sorted;
  sorted.reserve(cells.size());
  for (const auto& entry : cells) sorted.push_back(&entry);
  std::sort(sorted.begin(), sorted.end(),
            [](auto* a, auto* b) { return a->first < b->first; });
  for (const auto* entry : sorted) {
    const auto& [cell, added] = *entry;
    if (table->stored.size() >= kMaxRememberedCells) table->stored.clear();
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
  return DamagedError(database->path(), "a sum of no records");
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
                   ": its sums were changed by something else"));
}

absl::StatusOr<UsageSum> ReadRollup(const SqliteStatement& row,
                                    int first_column, const std::string& path) {
  UsageSum sum;
  sum.record_count = row.Int64(first_column);
  for (std::size_t i = 0; i < kTokenMeasureCount; ++i) {
    const int column = first_column + 1 + static_cast<int>(i);
    if (row.IsNull(column)) continue;
    const std::optional<TokenAmount> amount = DecodeAmount(row.Blob(column));
    if (!amount) return DamagedError(path, "a sum cannot be read");
    sum.counts[kTokenMeasures[i]] = *amount;
  }
  return sum;
}

}  // namespace tokenusage
