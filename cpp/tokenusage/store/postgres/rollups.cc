// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/postgres/rollups.h"

#include <cstddef>
#include <optional>
#include <utility>

#include "tokenusage/store/postgres/amount_text.h"
#include "tokenusage/store/query/query_plan.h"

namespace tokenusage {
namespace {

constexpr std::int64_t kSecondsPerQuarter = kNanosPerQuarter / kNanosPerSecond;
constexpr std::int64_t kSecondsPerHour = kNanosPerHour / kNanosPerSecond;

}  // namespace

void PostgresCells::Add(const v1::UsageRecord& record,
                        std::int64_t event_time_nanos,
                        const TokenCounts& counts) {
  const std::int64_t start =
      event_time_nanos / kNanosPerQuarter * kSecondsPerQuarter;
  quarters_[Key(kSecondsPerQuarter, start,
                Names(record.operation(), record.provider(), record.model()))]
      .Add(UsageSum{1, counts});
}

std::map<PostgresCells::Key, UsageSum> PostgresCells::All() const {
  std::map<Key, UsageSum> all(quarters_.begin(), quarters_.end());
  all.merge(HoursOfQuarters(all));
  return all;
}

std::map<PostgresCells::Key, UsageSum> HoursOfQuarters(
    const std::map<PostgresCells::Key, UsageSum>& quarters) {
  std::map<PostgresCells::Key, UsageSum> hours;
  for (const auto& [key, sum] : quarters) {
    const auto& [seconds, start, names] = key;
    hours[{kSecondsPerHour, start - start % kSecondsPerHour, names}].Add(sum);
  }
  return hours;
}

PostgresParams PostgresCells::ToParams(const std::string& project) const {
  return RollupParams(project, All());
}

PostgresParams RollupParams(
    const std::string& project,
    const std::map<PostgresCells::Key, UsageSum>& cells) {
  PostgresArray seconds = PostgresArray::Int64s(cells.size());
  PostgresArray starts = PostgresArray::Int64s(cells.size());
  PostgresArray operations = PostgresArray::Texts(cells.size());
  PostgresArray providers = PostgresArray::Texts(cells.size());
  PostgresArray models = PostgresArray::Texts(cells.size());
  PostgresArray counts = PostgresArray::Int64s(cells.size());
  for (const auto& [key, sum] : cells) {
    const auto& [cell_seconds, start, names] = key;
    seconds.Add(cell_seconds);
    starts.Add(start);
    operations.Add(std::string_view(std::get<0>(names)));
    providers.Add(std::string_view(std::get<1>(names)));
    models.Add(std::string_view(std::get<2>(names)));
    counts.Add(sum.record_count);
  }
  PostgresParams params;
  params.AddText(project);
  for (PostgresArray* array :
       {&seconds, &starts, &operations, &providers, &models, &counts}) {
    params.AddArray(std::move(*array));
  }
  for (const TokenMeasure measure : kTokenMeasures) {
    PostgresArray sums = PostgresArray::Texts(cells.size());
    for (const auto& [key, sum] : cells) {
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
    if (!amount)
      return DamagedPostgresError(connection, "a sum cannot be read");
    sum.counts[kTokenMeasures[i]] = *amount;
  }
  return sum;
}

}  // namespace tokenusage
