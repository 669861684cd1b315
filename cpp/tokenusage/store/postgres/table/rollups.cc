// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/postgres/table/rollups.h"

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tokenusage/base/status_macros.h"
#include "tokenusage/store/postgres/table/series.h"
#include "tokenusage/store/postgres/table/sql.h"
#include "tokenusage/store/rollup/stored_record.h"
#include "tokenusage/usage/amount_from_decimal.h"

namespace tokenusage {
namespace {

// Reads the two columns of a measure. Returns false if they contradict each
// other.
bool AddMeasure(const PostgresResult& row, int first_column,
                v1::UsageMeasure measure, UsageSum* sum) {
  const bool stated = !row.IsNull(0, first_column);
  if (stated == row.IsNull(0, first_column + 1)) return false;
  if (!stated) return true;
  const std::int64_t records = row.Int64(0, first_column);
  const std::optional<Amount> amount =
      AmountFromDecimal(row.Bytes(0, first_column + 1));
  if (!amount || records <= 0) return false;
  sum->AddMeasure(measure, {records, *amount});
  return true;
}

template <typename Visitor>
void ForEachMeasure(const Visitor& visit) {
  for (int number = 1; number <= kMaxUsageMeasure; ++number) {
    visit(static_cast<v1::UsageMeasure>(number));
  }
}

// Deletes those rollups that ChangeRollups returned without records.
absl::Status DeleteEmptyRollups(PostgresConnection* connection,
                                const std::string& project,
                                PostgresRollups::Family family,
                                const PostgresResult& changed) {
  std::set<std::int64_t> empty;  // the starts of their cells
  for (int row = 0; row < changed.rows(); ++row) {
    const std::int64_t records = changed.Int64(row, 1);
    if (records < 0) {
      return DamagedError(connection->display(),
                          "a rollup lacks records that it should hold");
    }
    if (records == 0) empty.insert(changed.Int64(row, 0));
  }
  if (empty.empty()) return absl::OkStatus();
  connection->Send(family == PostgresRollups::Family::kByLabel
                       ? postgres_sql::kDeleteEmptyLabelRollups
                       : postgres_sql::kDeleteEmptyRollups,
                   project,
                   std::vector<std::int64_t>(empty.begin(), empty.end()));
  return absl::OkStatus();
}

}  // namespace

absl::Status ChangePostgresRollups(PostgresConnection* connection,
                                   const std::string& project,
                                   const PostgresRollups& rollups) {
  if (rollups.empty()) return absl::OkStatus();
  for (const PostgresRollups::Family family : rollups.Families()) {
    TOKENUSAGE_ASSIGN_OR_RETURN(
        const PostgresResult changed,
        connection->Run(PostgresTimeouts::kStep,
                        postgres_sql::ChangeRollups(family),
                        RollupParams(project, family, rollups.All(family))));
    TOKENUSAGE_RETURN_IF_ERROR(
        DeleteEmptyRollups(connection, project, family, changed));
  }
  return absl::OkStatus();
}

PostgresParams RollupParams(const std::string& project,
                            postgres_sql::Family family,
                            const Rollups& rollups) {
  PostgresParams params(project);
  const auto add_numbers = [&](const auto& number_of) {
    PostgresArray numbers = PostgresArray::Int64s(rollups.size());
    for (const auto& [key, sum] : rollups) numbers.Add(number_of(key, sum));
    params.Add(std::move(numbers));
  };
  add_numbers([](const RollupKey& key, auto&) { return key.cell_seconds; });
  add_numbers([](const RollupKey& key, auto&) { return key.start_seconds; });
  std::vector<std::string SeriesNames::*> columns = {
      &SeriesNames::operation, &SeriesNames::provider, &SeriesNames::model};
  if (family == postgres_sql::Family::kByLabel) {
    columns.push_back(&SeriesNames::labels);
  }
  for (std::string SeriesNames::*name : columns) {
    PostgresArray names = PostgresArray::Texts(rollups.size());
    for (const auto& [key, sum] : rollups) {
      names.Add(key.series.*name);
    }
    params.Add(std::move(names));
  }
  for (std::int64_t UsageSum::*count :
       {&UsageSum::record_count, &UsageSum::inconsistent_record_count,
        &UsageSum::unknown_usage_record_count}) {
    add_numbers([count](auto&, const UsageSum& sum) { return sum.*count; });
  }
  ForEachMeasure([&](v1::UsageMeasure measure) {
    PostgresArray records = PostgresArray::Int64s(rollups.size());
    PostgresArray amounts = PostgresArray::Texts(rollups.size());
    for (const auto& [key, sum] : rollups) {
      if (const MeasureSum* const found = sum.Find(measure)) {
        records.Add(found->record_count);
        amounts.Add(found->amount.ToDecimal());
      } else {
        records.AddNull();
        amounts.AddNull();
      }
    }
    params.Add(std::move(records));
    params.Add(std::move(amounts));
  });
  return params;
}

absl::Status AddPostgresSum(const PostgresConnection& connection,
                            const PostgresResult& row, int first_column,
                            UsageSum* sum) {
  const std::int64_t records = row.Int64(0, first_column);
  const std::int64_t inconsistent = row.Int64(0, first_column + 1);
  const std::int64_t unknown = row.Int64(0, first_column + 2);
  sum->record_count += records;
  sum->inconsistent_record_count += inconsistent;
  sum->unknown_usage_record_count += unknown;
  bool good = records > 0 && inconsistent >= 0 && inconsistent <= records &&
              unknown >= 0 && unknown <= records;
  int column = first_column + 3;
  ForEachMeasure([&](v1::UsageMeasure measure) {
    good = good && AddMeasure(row, column, measure, sum);
    column += 2;
  });
  if (good) return absl::OkStatus();
  return DamagedError(connection.display(), "a rollup cannot be read");
}

absl::Status ForEachPostgresRollup(
    PostgresConnection* connection, const std::string& project,
    postgres_sql::Family family, std::int64_t cell_seconds, CellRange range,
    const CallLimits& limits,
    const std::function<absl::StatusOr<bool>(const RollupKey& key,
                                             const UsageSum& sum)>& each) {
  return connection->Stream(
      postgres_sql::SelectRollups(family),
      PostgresParams(project, cell_seconds, range.start_seconds,
                     range.end_seconds),
      limits, [&](const PostgresResult& row) -> absl::StatusOr<bool> {
        const bool by_label = family == postgres_sql::Family::kByLabel;
        UsageSum sum;
        TOKENUSAGE_RETURN_IF_ERROR(
            AddPostgresSum(*connection, row, by_label ? 5 : 4, &sum));
        SeriesNames series = SeriesOf(row, 0, 1);
        if (by_label) series.labels = std::string(row.Bytes(0, 4));
        return each({cell_seconds, row.Int64(0, 0), std::move(series)}, sum);
      });
}

}  // namespace tokenusage
