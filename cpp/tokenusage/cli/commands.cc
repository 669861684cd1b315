// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/cli/commands.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "tokenusage/base/string_view.h"

namespace tokenusage {

CLI::App* AddSubcommand(CLI::App* parent, const char* name, const char* about,
                        const char* footer) {
  CLI::App* command = parent->add_subcommand(name, about);
  command->footer(footer);
  return command;
}

Command WithSubcommands(CLI::App* app, std::vector<Command> subcommands) {
  app->require_subcommand(1);
  return {app, [subcommands = std::move(subcommands)] {
            for (const Command& command : subcommands) {
              if (command.app->parsed()) return command.run();
            }
            return kExitUsage;  // unreachable: the parser requires one
          }};
}

void AddFileArgument(CLI::App* command, std::string* file) {
  *file = "-";
  command->add_option("FILE", *file, "The input; - is standard input")
      ->capture_default_str();
}

CLI::Option* WithEnvironment(CLI::Option* flag) {
  std::string name = std::string(kVariablePrefix) + flag->get_lnames().front();
  std::replace(name.begin(), name.end(), '-', '_');
  absl::AsciiStrToUpper(&name);
  return flag->envname(name);
}

absl::Status InFlag(std::string_view flag, const absl::Status& status) {
  if (status.ok()) return status;
  return absl::Status(status.code(),
                      absl::StrCat(ToAbsl(flag), ": ", status.message()));
}

}  // namespace tokenusage
