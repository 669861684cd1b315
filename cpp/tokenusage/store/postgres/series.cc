// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/store/postgres/series.h"

namespace tokenusage {

SeriesNames SeriesOf(const PostgresResult& rows, int row, int first_column) {
  return {std::string(rows.Bytes(row, first_column)),
          std::string(rows.Bytes(row, first_column + 1)),
          std::string(rows.Bytes(row, first_column + 2))};
}

PostgresParams SeriesParams(const std::string& project,
                            const std::vector<SeriesNames>& series) {
  PostgresParams params;
  params.AddText(project);
  for (std::string SeriesNames::*name :
       {&SeriesNames::operation, &SeriesNames::provider, &SeriesNames::model}) {
    PostgresArray values = PostgresArray::Texts(series.size());
    for (const SeriesNames& names : series) {
      values.Add(std::string_view(names.*name));
    }
    params.AddArray(std::move(values));
  }
  return params;
}

}  // namespace tokenusage
