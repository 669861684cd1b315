// SPDX-License-Identifier: Apache-2.0

// For health checks and metrics: whether a database can be written, and its
// size.

#ifndef TOKENUSAGE_STORE_SQLITE_HEALTH_H_
#define TOKENUSAGE_STORE_SQLITE_HEALTH_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace tokenusage {

// Commits a transaction that changes nothing, over a new connection. Waits up
// to 5 s for the writer.
//
// Errors: UNAVAILABLE, DATA_LOSS, naming the path.
absl::Status CheckSqliteWritable(const std::string& path);

// Returns the size of the write-ahead log.
std::int64_t SqliteLogBytes(const std::string& path);

// Returns the size of the database and its write-ahead log.
std::int64_t SqliteFileBytes(const std::string& path);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_SQLITE_HEALTH_H_
