// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/postgres/rollups.h"

#include <cstddef>
#include <optional>
#include <utility>

#include "tokenusage/base/status_macros.h"
#include "tokenusage/store/postgres/amount_text.h"
#include "tokenusage/store/postgres/series.h"
#include "tokenusage/store/postgres/sql.h"
#include "tokenusage/store/rollup/stored_record.h"

namespace tokenusage {

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
      postgres_sql::SelectRollups(), params, limits,
      [&](const PostgresResult& row) -> absl::StatusOr<bool> {
        TOKENUSAGE_ASSIGN_OR_RETURN(const UsageSum sum,
                                    ReadPostgresSum(*connection, row, 0, 4));
        return each({cell_seconds, row.Int64(0, 0), SeriesOf(row, 0, 1)}, sum);
      });
}

}  // namespace tokenusage
