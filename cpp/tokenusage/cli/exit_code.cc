// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/cli/exit_code.h"

#include "tokenusage/cli/terminal.h"

namespace tokenusage {

ExitCode ExitCodeFor(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return kExitOk;
    case absl::StatusCode::kInvalidArgument:
      return kExitBadInput;
    case absl::StatusCode::kCancelled:  // by a server that shuts down
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kResourceExhausted:
      return kExitUnavailable;
    default:
      return kExitFailure;
  }
}

ExitCode Finish(const absl::Status& status) {
  if (!status.ok()) PrintError(status);
  return ExitCodeFor(status);
}

ExitCode FinishLocal(const absl::Status& status) {
  if (!status.ok()) PrintError(status);
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return kExitOk;
    case absl::StatusCode::kDataLoss:
      return kExitBadInput;
    case absl::StatusCode::kInvalidArgument:
      return kExitUsage;
    default:
      return kExitFailure;
  }
}

}  // namespace tokenusage
