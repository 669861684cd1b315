// SPDX-License-Identifier: Apache-2.0

// Errors of the file system.

#ifndef TOKENUSAGE_STORE_SQLITE_FILE_ERROR_H_
#define TOKENUSAGE_STORE_SQLITE_FILE_ERROR_H_

#include <cerrno>
#include <string>
#include <system_error>

#include "absl/status/status.h"

namespace tokenusage {

// The status for a value of errno: NOT_FOUND, PERMISSION_DENIED, or UNAVAILABLE
// for what may pass. `what` names the file.
inline absl::Status FileError(const std::string& what, int error) {
  const std::string message =
      what + ": " + std::generic_category().message(error);
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return absl::NotFoundError(message);
    case EACCES:
    case EPERM:
    case EROFS:
      return absl::PermissionDeniedError(message);
    case EISDIR:
    case ELOOP:
    case ENAMETOOLONG:
      return absl::FailedPreconditionError(message);
    default:
      return absl::UnavailableError(message);
  }
}

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_SQLITE_FILE_ERROR_H_
