// SPDX-License-Identifier: Apache-2.0

// Reads projects and their series from rows, makes parameters of them, and
// caches them.

#ifndef TOKENUSAGE_STORE_POSTGRES_TABLE_SERIES_H_
#define TOKENUSAGE_STORE_POSTGRES_TABLE_SERIES_H_

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "tokenusage/store/lru_cache.h"
#include "tokenusage/store/postgres/connection/connection.h"
#include "tokenusage/store/postgres/connection/values.h"
#include "tokenusage/store/query/field_values.h"
#include "tokenusage/store/rollup_options.h"

namespace tokenusage {

// Reads operation, provider and model from three columns.
SeriesNames SeriesOf(const PostgresResult& rows, int row, int first_column);

// Returns the parameters of postgres_sql::kInsertSeries and kFindSeries.
PostgresParams SeriesParams(const std::string& project,
                            const std::vector<SeriesNames>& series);

// A project as a transaction found it.
struct PostgresProject {
  std::int64_t incarnation = 0;
  std::int64_t horizon_seconds = 0;
  std::int64_t series_count = 0;  // with label sets; there may be more by now
  RollupLabels labels = {};       // that its rollups are kept by
};

// Some series (see SeriesKey) and label sets (see LabelSetOf) of a project. No
// text can be both.
using SeriesKeys = absl::flat_hash_set<std::string>;

// Returns a random number above 0, for incarnations and deletion_ids.
std::int64_t RandomIncarnation();

// Caches what a process knows of the projects in the database. Thread-safe.
class PostgresSeriesCache {
 public:
  explicit PostgresSeriesCache(RollupLabels labels_of_new_projects);

  // Returns the labels that the database gives to new projects, as far as they
  // are known.
  RollupLabels LabelsOfNewProjects();
  void RememberLabelsOfNewProjects(const RollupLabels& labels);

  // Returns what is known of a project; nullopt if nothing is.
  std::optional<PostgresProject> Find(const std::string& project);

  // Returns whether a project of this incarnation is known to have all of these
  // series: it has them as long as its row has the incarnation.
  bool HasAll(std::int64_t incarnation, const SeriesKeys& series);

  // Replaces what was known of the project, except the series.
  void Remember(const std::string& project, const PostgresProject& found,
                const SeriesKeys& series);
  void Forget(const std::string& project);

 private:
  std::mutex mutex_;
  RollupLabels labels_of_new_projects_;
  LruCache<PostgresProject> projects_;
  LruCache<bool> series_;  // by SeriesCacheKey
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_POSTGRES_TABLE_SERIES_H_
