// SPDX-License-Identifier: Apache-2.0

// Finds projects and their series in the database.
//
//   TOKENUSAGE_RETURN_IF_ERROR(ForEachSeries(
//       database, project_id,
//       [&](std::int64_t series_id, SeriesNames names) { ... }));

#ifndef TOKENUSAGE_STORE_SQLITE_TABLE_SERIES_H_
#define TOKENUSAGE_STORE_SQLITE_TABLE_SERIES_H_

#include <cstdint>
#include <functional>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tokenusage/store/query/field_values.h"
#include "tokenusage/store/sqlite/connection/database.h"

namespace tokenusage {

// Returns the id of a project; 0 if there is no such project.
absl::StatusOr<std::int64_t> FindProjectId(SqliteDatabase* database,
                                           std::string_view project);

// Calls `each` with every series of a project.
absl::Status ForEachSeries(
    SqliteDatabase* database, std::int64_t project_id,
    const std::function<void(std::int64_t series_id, SeriesNames names)>& each);

// Reads operation, provider and model from three columns.
SeriesNames SeriesNamesAt(const SqliteRows& row, int first_column);

// Calls `each` with every label set of a project. The view lives until `each`
// returns.
absl::Status ForEachLabelSet(
    SqliteDatabase* database, std::int64_t project_id,
    const std::function<void(std::int64_t label_set_id,
                             std::string_view labels)>& each);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_SQLITE_TABLE_SERIES_H_
