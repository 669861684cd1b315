// SPDX-License-Identifier: Apache-2.0

// The program's exit codes. Source: sysexits.h for 64 and 69.

#ifndef TOKENUSAGE_CLI_EXIT_CODE_H_
#define TOKENUSAGE_CLI_EXIT_CODE_H_

#include "absl/status/status.h"

namespace tokenusage {

enum ExitCode : int {
  kExitOk = 0,
  kExitFailure = 1,       // the program or the server failed
  kExitBadInput = 2,      // the data is at fault; running it again fails again
  kExitUsage = 64,        // the command line is at fault
  kExitUnavailable = 69,  // the service did not answer; try again later
};

// The exit code for a failed call or operation.
ExitCode ExitCodeFor(const absl::Status& status);

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLI_EXIT_CODE_H_
