// SPDX-License-Identifier: Apache-2.0

// Projects and their series: in rows, in parameters, and in a cache.

#ifndef TOKENUSAGE_STORE_POSTGRES_SERIES_H_
#define TOKENUSAGE_STORE_POSTGRES_SERIES_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "tokenusage/store/postgres/connection.h"
#include "tokenusage/store/postgres/values.h"
#include "tokenusage/store/query/field_values.h"

namespace tokenusage {

// Reads operation, provider and model from three columns.
SeriesNames SeriesOf(const PostgresResult& rows, int row, int first_column);

// Returns the parameters of postgres_sql::kInsertSeries.
PostgresParams SeriesParams(const std::string& project,
                            const std::vector<SeriesNames>& series);

// A project as a transaction found it. While its row in the database has this
// incarnation and horizon, these series exist; others may, too.
struct PostgresProject {
  std::int64_t incarnation = 0;
  std::int64_t horizon_seconds = 0;
  absl::flat_hash_set<std::string> series;  // see SeriesKey
};

// Returns an incarnation for a new project.
std::int64_t RandomIncarnation();

// What a process remembers of the projects in the database. Thread-safe.
class PostgresSeriesCache {
 public:
  // Returns null if nothing is known.
  std::shared_ptr<const PostgresProject> Find(const std::string& name) const;

  void Remember(const std::string& name,
                std::shared_ptr<const PostgresProject> project);
  void Forget(const std::string& name);

 private:
  void ForgetLocked(const std::string& name);

  mutable std::mutex mutex_;
  absl::flat_hash_map<std::string, std::shared_ptr<const PostgresProject>>
      projects_;
  std::size_t series_count_ = 0;  // of all projects
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_POSTGRES_SERIES_H_
