// SPDX-License-Identifier: Apache-2.0

// What a process remembers of projects in the database.

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

// A project as some transaction found it. While its row in the database has
// this incarnation and horizon, these series are there; others may be, too.
struct PostgresProject {
  std::int64_t incarnation = 0;
  std::int64_t horizon_seconds = 0;
  absl::flat_hash_set<std::string> series;  // see SeriesKey
};

// For a project that is new.
std::int64_t RandomIncarnation();

using PostgresProjectPointer = std::shared_ptr<const PostgresProject>;

// Thread-safe.
class PostgresProjects {
 public:
  // Null where nothing is known.
  PostgresProjectPointer Find(const std::string& name) const;

  void Remember(const std::string& name, PostgresProjectPointer project);
  void Forget(const std::string& name);

 private:
  void ForgetLocked(const std::string& name);

  mutable std::mutex mutex_;
  absl::flat_hash_map<std::string, PostgresProjectPointer> projects_;
  std::size_t series_ = 0;  // of all of them together
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_POSTGRES_SERIES_CACHE_H_
