// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/cli/commands.h"

namespace tokenusage {

ExitCode RunNamed(const std::vector<Command>& commands) {
  for (const Command& command : commands) {
    if (command.app->parsed()) return command.run();
  }
  return kExitUsage;  // unreachable: the parser requires a command
}

}  // namespace tokenusage
