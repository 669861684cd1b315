// SPDX-License-Identifier: Apache-2.0

// What a process remembers of the projects in the database.

#ifndef TOKENUSAGE_STORE_POSTGRES_SERIES_CACHE_H_
#define TOKENUSAGE_STORE_POSTGRES_SERIES_CACHE_H_

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

#include "absl/container/flat_hash_set.h"
#include "tokenusage/store/lru_cache.h"

namespace tokenusage {

// A project as a transaction found it.
struct PostgresProject {
  std::int64_t incarnation = 0;
  std::int64_t horizon_seconds = 0;
  std::int64_t series_count = 0;  // there may be more by now
};

// Some series of a project: see SeriesKey.
using SeriesKeys = absl::flat_hash_set<std::string>;

// Returns an incarnation for a new project.
std::int64_t RandomIncarnation();

// Thread-safe.
class PostgresSeriesCache {
 public:
  PostgresSeriesCache();

  // Returns nullopt if nothing is known.
  std::optional<PostgresProject> Find(const std::string& project);

  // Returns whether a project of this incarnation is known to have all of these
  // series: it has them as long as its row has the incarnation.
  bool HasAll(std::int64_t incarnation, const SeriesKeys& series);

  // Also forgets what was known before, but for series.
  void Remember(const std::string& project, const PostgresProject& found,
                const SeriesKeys& series);
  void Forget(const std::string& project);

 private:
  std::mutex mutex_;
  LruCache<PostgresProject> projects_;
  LruCache<bool> series_;  // by SeriesCacheKey
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_POSTGRES_SERIES_CACHE_H_
