// SPDX-License-Identifier: Apache-2.0

// The program's subcommands, defined in the *_command.cc files below cli/.
//
//   CLI::App app("Records token usage", "tokenusage");
//   const Command program = WithSubcommands(&app, {AddGetCommand(&app)});
//   app.parse(argc, argv);
//   return program.run();

#ifndef TOKENUSAGE_CLI_COMMANDS_H_
#define TOKENUSAGE_CLI_COMMANDS_H_

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "tokenusage/cli/exit_code.h"

namespace tokenusage {

// A command: its flags, and the work to do once they are parsed.
struct Command {
  CLI::App* app;
  std::function<ExitCode()> run;
};

// Adds a subcommand to `parent`, which owns it. `footer` ends its help.
CLI::App* AddSubcommand(CLI::App* parent, const char* name, const char* about,
                        const char* footer);

// Returns a command that runs the subcommand that the command line names.
Command WithSubcommands(CLI::App* app, std::vector<Command> subcommands);

// Adds the argument FILE, which is standard input by default.
void AddFileArgument(CLI::App* command, std::string* file);

inline constexpr std::string_view kVariablePrefix = "TOKENUSAGE_";

// Lets a flag be set in the environment: --tls-key as TOKENUSAGE_TLS_KEY.
CLI::Option* WithEnvironment(CLI::Option* flag);

// Returns the status of a flag's value, with the flag's name in front of an
// error's message.
absl::Status InFlag(std::string_view flag, const absl::Status& status);

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
