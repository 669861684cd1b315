// SPDX-License-Identifier: Apache-2.0

// What an operator's tools want to know of the database files.

#ifndef TOKENUSAGE_STORE_SQLITE_HEALTH_H_
#define TOKENUSAGE_STORE_SQLITE_HEALTH_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace tokenusage {

// Whether a commit reaches the disk: makes a small one, over a connection of
// its own, that changes nothing. Waits up to 5 s for the writer.
//
// Errors: UNAVAILABLE, DATA_LOSS, naming the path.
absl::Status CheckSqliteWritable(const std::string& path);

// How many bytes the database and its write-ahead log take.
std::int64_t SqliteFileBytes(const std::string& path);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_SQLITE_HEALTH_H_
