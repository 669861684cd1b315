// SPDX-License-Identifier: Apache-2.0

// What a process remembers of the projects in the database.

#ifndef TOKENUSAGE_STORE_POSTGRES_SERIES_CACHE_H_
#define TOKENUSAGE_STORE_POSTGRES_SERIES_CACHE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"

namespace tokenusage {

// A project as a transaction found it. While its row in the database has this
// incarnation and horizon, these series exist; others may, too.
struct PostgresProject {
  std::int64_t incarnation = 0;
  std::int64_t horizon_seconds = 0;
  absl::flat_hash_set<std::string> series;  // see SeriesKey
};

// Returns an incarnation for a new project.
std::int64_t RandomIncarnation();

// Thread-safe.
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

#endif  // TOKENUSAGE_STORE_POSTGRES_SERIES_CACHE_H_
