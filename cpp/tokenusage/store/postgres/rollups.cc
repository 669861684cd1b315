// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/postgres/rollups.h"

#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/numeric/int128.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/store/postgres/series.h"
#include "tokenusage/store/postgres/sql.h"
#include "tokenusage/store/rollup/stored_record.h"

namespace tokenusage {
namespace {

constexpr std::size_t kDecimals = 9;

// Appends a decimal digit to `value`; returns false if it is not a digit or the
// result would overflow.
bool AppendDigit(char digit, absl::int128* value) {
  if (digit < '0' || digit > '9') return false;
  constexpr absl::int128 kMax = absl::Int128Max();
  const int number = digit - '0';
  if (*value > (kMax - number) / 10) return false;
  *value = *value * 10 + number;
  return true;
}

// Parses the output of TokenAmount::ToDecimal. Zeros may follow the last
// decimal, such as in "8205.750000000". Returns nullopt for any other text,
// negative numbers, more than nine decimals, and numbers beyond TokenAmount's
// range.
std::optional<TokenAmount> AmountFromDecimal(std::string_view decimal) {
  const std::size_t point = decimal.find('.');
  const std::string_view whole = decimal.substr(0, point);
  std::string_view fraction;
  if (point != std::string_view::npos) {
    fraction = decimal.substr(point + 1);
    if (fraction.empty()) return std::nullopt;
  }
  if (whole.empty()) return std::nullopt;
  absl::int128 nanos = 0;
  for (const char digit : whole) {
    if (!AppendDigit(digit, &nanos)) return std::nullopt;
  }
  for (std::size_t i = 0; i < kDecimals; ++i) {
    const char digit = i < fraction.size() ? fraction[i] : '0';
    if (!AppendDigit(digit, &nanos)) return std::nullopt;
  }
  if (fraction.size() > kDecimals &&
      fraction.find_first_not_of('0', kDecimals) != std::string_view::npos) {
    return std::nullopt;
  }
  return TokenAmount::FromNanos(nanos);
}

}  // namespace

Rollups PostgresRollups::All() const {
  Rollups all(quarter_hours_.begin(), quarter_hours_.end());
  all.merge(HoursOf(all));
  return all;
}

PostgresParams RollupParams(const std::string& project,
                            const Rollups& rollups) {
  PostgresArray seconds = PostgresArray::Int64s(rollups.size());
  PostgresArray starts = PostgresArray::Int64s(rollups.size());
  PostgresArray operations = PostgresArray::Texts(rollups.size());
  PostgresArray providers = PostgresArray::Texts(rollups.size());
  PostgresArray models = PostgresArray::Texts(rollups.size());
  PostgresArray counts = PostgresArray::Int64s(rollups.size());
  for (const auto& [key, sum] : rollups) {
    seconds.Add(key.cell_seconds);
    starts.Add(key.start_seconds);
    operations.Add(std::string_view(key.series.operation));
    providers.Add(std::string_view(key.series.provider));
    models.Add(std::string_view(key.series.model));
    counts.Add(sum.record_count);
  }
  PostgresParams params;
  params.AddText(project);
  for (PostgresArray* array :
       {&seconds, &starts, &operations, &providers, &models, &counts}) {
    params.AddArray(std::move(*array));
  }
  for (const TokenMeasure measure : kTokenMeasures) {
    PostgresArray sums = PostgresArray::Texts(rollups.size());
    for (const auto& [key, sum] : rollups) {
      const std::optional<TokenAmount>& amount = sum.counts[measure];
      amount ? sums.Add(std::string_view(amount->ToDecimal())) : sums.AddNull();
    }
    params.AddArray(std::move(sums));
  }
  return params;
}

absl::StatusOr<UsageSum> ReadPostgresSum(const PostgresConnection& connection,
                                         const PostgresResult& rows, int row,
                                         int first_column) {
  UsageSum sum;
  sum.record_count = rows.Int64(row, first_column);
  for (std::size_t i = 0; i < kTokenMeasureCount; ++i) {
    const int column = first_column + 1 + static_cast<int>(i);
    if (rows.IsNull(row, column)) continue;
    const std::optional<TokenAmount> amount =
        AmountFromDecimal(rows.Bytes(row, column));
    if (!amount) {
      return DamagedError(connection.display(), "a rollup cannot be read");
    }
    sum.counts[kTokenMeasures[i]] = *amount;
  }
  return sum;
}

absl::Status ForEachPostgresRollup(
    PostgresConnection* connection, const std::string& project,
    std::int64_t cell_seconds, CellRange range, const CallLimits& limits,
    const std::function<absl::StatusOr<bool>(const RollupKey& key,
                                             const UsageSum& sum)>& each) {
  PostgresParams params;
  params.AddText(project);
  params.AddInt64(cell_seconds);
  params.AddInt64(range.start_seconds);
  params.AddInt64(range.end_seconds);
  return connection->Stream(
      postgres_sql::kSelectRollups, params, limits,
      [&](const PostgresResult& row) -> absl::StatusOr<bool> {
        TOKENUSAGE_ASSIGN_OR_RETURN(const UsageSum sum,
                                    ReadPostgresSum(*connection, row, 0, 4));
        return each({cell_seconds, row.Int64(0, 0), SeriesOf(row, 0, 1)}, sum);
      });
}

}  // namespace tokenusage
