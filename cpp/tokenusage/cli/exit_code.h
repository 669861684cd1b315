// SPDX-License-Identifier: Apache-2.0

// The program's exit codes. Source: sysexits.h for 64 and 69.

#ifndef TOKENUSAGE_CLI_EXIT_CODE_H_
#define TOKENUSAGE_CLI_EXIT_CODE_H_

#include "absl/status/status.h"

namespace tokenusage {

enum ExitCode : int {
  kExitOk = 0,
  kExitFailure = 1,       // the program or the server failed
  kExitBadInput = 2,      // the data is wrong; the same command fails again
  kExitUsage = 64,        // the command line is wrong
  kExitUnavailable = 69,  // the service did not answer; try again later
};

// Returns the exit code for a call to the service.
ExitCode ExitCodeFor(const absl::Status& status);

// Prints the status if it is an error, and returns its exit code.
ExitCode Finish(const absl::Status& status);

// Does the same for a command that works without a service: its
// INVALID_ARGUMENT is about a flag, and its DATA_LOSS about a damaged database,
// export or spool.
ExitCode FinishLocal(const absl::Status& status);

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLI_EXIT_CODE_H_
