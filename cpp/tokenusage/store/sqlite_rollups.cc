#include "tokenusage/store/sqlite_rollups.h"

#include <algorithm>
#include <array>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/store/amount_blob.h"
#include "tokenusage/store/query_plan.h"
#include "tokenusage/store/sqlite_schema.h"

namespace tokenusage {
namespace {

constexpr std::int64_t kSecondsPerQuarter = kNanosPerQuarter / kNanosPerSecond;
constexpr std::int64_t kSecondsPerHour = kNanosPerHour / kNanosPerSecond;

std::optional<TokenAmount> AmountOf(sqlite3_value* value) {
  const void* bytes = sqlite3_value_blob(value);
  const int size = sqlite3_value_bytes(value);
  if (bytes == nullptr) return std::nullopt;
  return DecodeAmount(
      {static_cast<const char*>(bytes), static_cast<std::size_t>(size)});
}

// add_amounts(a, b): the sum; NULL counts as nothing.
void AddAmounts(sqlite3_context* context, int /*size*/, sqlite3_value** parts) {
  for (const int i : {0, 1}) {
    if (sqlite3_value_type(parts[i]) == SQLITE_NULL) {
      sqlite3_result_value(context, parts[1 - i]);
      return;
    }
  }
  std::optional<TokenAmount> sum = AmountOf(parts[0]);
  const std::optional<TokenAmount> part = AmountOf(parts[1]);
  if (!sum || !part) {
    sqlite3_result_error_code(context, SQLITE_CORRUPT);
    return;
  }
  *sum += *part;
  const AmountBlob blob = EncodeAmount(*sum);
  sqlite3_result_blob(context, blob.data(), static_cast<int>(blob.size()),
                      SQLITE_TRANSIENT);
}

std::string AddSql(const std::string& table) {
  std::string columns;
  std::string values;
  std::string updates;
  for (std::size_t i = 0; i < kSumColumns.size(); ++i) {
    const char* column = kSumColumns[i];
    absl::StrAppend(&columns, ", ", column);
    absl::StrAppend(&values, ", ?", i + 4);
    absl::StrAppend(&updates, ", ", column, "=add_amounts(", column,
                    ", excluded.", column, ")");
  }
  return absl::StrCat("INSERT INTO ", table,
                      "(series_id, cell_start, record_count", columns,
                      ") VALUES(?1, ?2, ?3", values,
                      ") ON CONFLICT(series_id, cell_start) DO UPDATE SET "
                      "record_count=record_count + excluded.record_count",
                      updates);
}

}  // namespace

absl::Status SqliteRollups::Register(SqliteDatabase* database) {
  const int code = sqlite3_create_function_v2(
      database->handle(), "add_amounts", 2,
      SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, nullptr,
      &AddAmounts, nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? absl::OkStatus() : database->Error(code);
}

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
  static const std::string* const kAddToQuarter =
      new std::string(AddSql("rollup_quarter"));
  static const std::string* const kAddToHour =
      new std::string(AddSql("rollup_hour"));
  TOKENUSAGE_RETURN_IF_ERROR(AddCells(*kAddToQuarter, quarters_, database));
  TOKENUSAGE_RETURN_IF_ERROR(AddCells(*kAddToHour, hours, database));
  quarters_.clear();
  return absl::OkStatus();
}

absl::Status SqliteRollups::AddCells(const std::string& sql, const Cells& cells,
                                     SqliteDatabase* database) {
  if (cells.empty()) return absl::OkStatus();
  TOKENUSAGE_ASSIGN_OR_RETURN(SqliteStatement * add, database->Cached(sql));
  // In the order of the table, neighbours share a page.
  std::vector<Cells::const_pointer> sorted;
  for (const auto& entry : cells) sorted.push_back(&entry);
  std::sort(sorted.begin(), sorted.end(),
            [](auto* a, auto* b) { return a->first < b->first; });
  for (const auto* entry : sorted) {
    const auto& [cell, sum] = *entry;
    add->Bind(1, cell.first);
    add->Bind(2, cell.second);
    add->Bind(3, sum.record_count);
    std::array<AmountBlob, kTokenMeasureCount> blobs;
    for (std::size_t i = 0; i < kTokenMeasureCount; ++i) {
      const auto& amount = sum.counts[kTokenMeasures[i]];
      const int index = static_cast<int>(i) + 4;
      if (!amount) {
        add->BindNull(index);
        continue;
      }
      blobs[i] = EncodeAmount(*amount);
      add->BindBlob(index, {blobs[i].data(), blobs[i].size()});
    }
    TOKENUSAGE_RETURN_IF_ERROR(add->Run());
  }
  return absl::OkStatus();
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
