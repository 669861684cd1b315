// SPDX-License-Identifier: Apache-2.0

// Series in rows and parameters.
//
//   connection->Send(postgres_sql::InsertSeries(), SeriesParams("p", series));

#ifndef TOKENUSAGE_STORE_POSTGRES_SERIES_H_
#define TOKENUSAGE_STORE_POSTGRES_SERIES_H_

#include <string>
#include <vector>

#include "tokenusage/store/postgres/connection.h"
#include "tokenusage/store/postgres/values.h"
#include "tokenusage/store/query/field_values.h"

namespace tokenusage {

// Reads operation, provider and model from three columns.
SeriesNames SeriesOf(const PostgresResult& rows, int row, int first_column);

// Returns the parameters of postgres_sql::InsertSeries.
PostgresParams SeriesParams(const std::string& project,
                            const std::vector<SeriesNames>& series);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_POSTGRES_SERIES_H_
