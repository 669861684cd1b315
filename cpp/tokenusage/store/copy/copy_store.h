// SPDX-License-Identifier: Apache-2.0

// Moves a history from a SQLite database to a PostgreSQL one.

#ifndef TOKENUSAGE_STORE_COPY_COPY_STORE_H_
#define TOKENUSAGE_STORE_COPY_COPY_STORE_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace tokenusage {

struct CopyProgress {
  std::int64_t copied = 0;  // by this call
  std::int64_t total = 0;   // that were to be copied when it began
};

struct CopyReport {
  std::int64_t copied = 0;           // records, by this call
  std::int64_t already_there = 0;    // of these: with the same content
  std::int64_t compared_totals = 0;  // each with all its sums
};

// Copies what has not been copied yet, oldest arrival first, and then compares
// every total of every project. What is there already stays; where the call is
// cut short, the next goes on. A service may go on writing to the source: what
// arrives meanwhile is copied, too, and where it arrives during the comparison
// that is done again.
//
// Errors: those of opening either database; FAILED_PRECONDITION: a record is
// there with other content, the destination's horizon is later; DATA_LOSS: a
// total differs, the message says which.
absl::StatusOr<CopyReport> CopySqliteToPostgres(
    const std::string& path, const std::string& url,
    const std::function<void(const CopyProgress&)>& on_progress);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_COPY_COPY_STORE_H_
