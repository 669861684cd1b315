// SPDX-License-Identifier: Apache-2.0

// The program's subcommands, defined in the *_command.cc files below cli/.
//
//   CLI::App app("Records token usage", "tokenusage");
//   const std::vector<Command> commands = {AddGetCommand(&app)};
//   app.parse(argc, argv);
//   return RunNamed(commands);

#ifndef TOKENUSAGE_CLI_COMMANDS_H_
#define TOKENUSAGE_CLI_COMMANDS_H_

#include <functional>
#include <vector>

#include "CLI/CLI.hpp"
#include "tokenusage/cli/exit_code.h"

namespace tokenusage {

// A subcommand: its flags, and the work to do once they are parsed.
struct Command {
  CLI::App* app;
  std::function<ExitCode()> run;
};

// Runs the command that the command line names. Call it after
// CLI::App::parse.
ExitCode RunNamed(const std::vector<Command>& commands);

// Add a subcommand with its flags to `app`, which owns Command::app.
Command AddConvertCommand(CLI::App* app);
Command AddCorrectCommand(CLI::App* app);
Command AddCountCommand(CLI::App* app);
Command AddDbCommand(CLI::App* app);
Command AddDialectsCommand(CLI::App* app);
Command AddExportCommand(CLI::App* app);
Command AddExtractCommand(CLI::App* app);
Command AddGetCommand(CLI::App* app);
Command AddListCommand(CLI::App* app);
Command AddProjectsCommand(CLI::App* app);
Command AddQueryCommand(CLI::App* app);
Command AddReportCommand(CLI::App* app);
Command AddServeCommand(CLI::App* app);
Command AddSpoolCommand(CLI::App* app);
Command AddTokenCommand(CLI::App* app);
Command AddVersionCommand(CLI::App* app);
Command AddVoidCommand(CLI::App* app);

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLI_COMMANDS_H_
