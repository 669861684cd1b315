// SPDX-License-Identifier: Apache-2.0

// Tells whether the disk of a database has space for more.
//
//   TOKENUSAGE_RETURN_IF_ERROR(CheckDiskSpace("/var/lib/tokenusage/usage.db"));

#ifndef TOKENUSAGE_STORE_SQLITE_CONNECTION_DISK_SPACE_H_
#define TOKENUSAGE_STORE_SQLITE_CONNECTION_DISK_SPACE_H_

#include <string>

#include "absl/status/status.h"

namespace tokenusage {

// Writes and syncs as much as the largest report, 1 MiB, to a file without a
// name in the folder of `path`, so that nothing is left behind. A commit of one
// page may fit where no report does. Returns OK if the file system does not
// have such files. Thread-safe.
//
// Errors: UNAVAILABLE and others of FileError, naming the folder.
absl::Status CheckDiskSpace(const std::string& path);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_SQLITE_CONNECTION_DISK_SPACE_H_
