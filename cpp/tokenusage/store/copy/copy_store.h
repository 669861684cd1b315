// SPDX-License-Identifier: Apache-2.0

// Copies a SQLite database to a PostgreSQL one.
//
//   absl::StatusOr<CopyReport> report = CopySqliteToPostgres(
//       "usage.db", "postgresql://usage@db.example/usage", &PrintProgress);

#ifndef TOKENUSAGE_STORE_COPY_COPY_STORE_H_
#define TOKENUSAGE_STORE_COPY_COPY_STORE_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/statusor.h"

namespace tokenusage {

struct CopyProgress {
  std::int64_t copied = 0;  // by this call
  std::int64_t total = 0;   // to be copied by this call, estimated
};

struct CopyReport {
  std::int64_t copied = 0;            // records, by this call
  std::int64_t already_there = 0;     // of these, with the same content
  std::int64_t compared_rollups = 0;  // of all projects, without labels
};

// Copies the records that have not been copied yet, in the order of arrival,
// and then compares every rollup of every project, except rollups by label.
// Records in the destination stay; if a call is interrupted, the next one
// continues. A service may write to the source: records that arrive meanwhile
// are copied, too, and if any arrive during the comparison, it is repeated.
//
// Errors: those of opening either database; FAILED_PRECONDITION if the
// destination refuses a record, for example one that exists with other content,
// or its horizon is later; DATA_LOSS, naming the rollup, if one differs;
// UNAVAILABLE, also if records keep arriving during the comparisons.
absl::StatusOr<CopyReport> CopySqliteToPostgres(
    const std::string& path, const std::string& url,
    const std::function<void(const CopyProgress&)>& on_progress);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_COPY_COPY_STORE_H_
