// SPDX-License-Identifier: Apache-2.0

// The subcommands, one file each. Each function adds its command to `app`; when
// the command line names it, it runs and leaves its exit code in `exit_code`.

#ifndef TOKENUSAGE_CLI_COMMANDS_H_
#define TOKENUSAGE_CLI_COMMANDS_H_

#include "CLI/CLI.hpp"

namespace tokenusage {

void AddConvertCommand(CLI::App* app, int* exit_code);
void AddDbCommand(CLI::App* app, int* exit_code);
void AddGetCommand(CLI::App* app, int* exit_code);
void AddListCommand(CLI::App* app, int* exit_code);
void AddQueryCommand(CLI::App* app, int* exit_code);
void AddReportCommand(CLI::App* app, int* exit_code);
void AddServeCommand(CLI::App* app, int* exit_code);
void AddTokenCommand(CLI::App* app, int* exit_code);
void AddVersionCommand(CLI::App* app, int* exit_code);

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLI_COMMANDS_H_
