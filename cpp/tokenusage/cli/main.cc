// SPDX-License-Identifier: Apache-2.0

// tokenusage: the service, and the commands that use it from a shell.

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <exception>
#include <string>

#include "tokenusage/base/protobuf_compat.h"
#include "tokenusage/cli/commands.h"
#include "tokenusage/cli/exit_code.h"
#include "tokenusage/cli/terminal.h"
#include "tokenusage/cli/version.h"

namespace tokenusage {
namespace {

constexpr char kFooter[] = R"(
Examples:
  tokenusage serve --store=sqlite://usage.db
  tokenusage report --project=demo records.jsonl
  tokenusage query --project=demo --bucket=day --group-by=model
  tokenusage COMMAND --help

Results go to stdout, messages to stderr. Exit codes: 0 ok, 1 failure,
2 bad input, 64 wrong usage, 69 service unavailable.)";

int Run(int argc, char** argv) {
  CLI::App app("Records the token usage of AI models once, and sums it exactly",
               "tokenusage");
  app.footer(kFooter);
  app.set_version_flag("--version", [] { return std::string(kVersion); });
  const Command program = WithSubcommands(
      &app,
      {AddServeCommand(&app), AddReportCommand(&app), AddQueryCommand(&app),
       AddProjectsCommand(&app), AddListCommand(&app), AddGetCommand(&app),
       AddCorrectCommand(&app), AddVoidCommand(&app), AddExportCommand(&app),
       AddExtractCommand(&app), AddCountCommand(&app), AddDialectsCommand(&app),
       AddConvertCommand(&app), AddSpoolCommand(&app), AddTokenCommand(&app),
       AddDbCommand(&app), AddVersionCommand(&app)});
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    const bool names_no_command =
        app.get_subcommands().empty() && !app.remaining().empty();
    const auto named = app.get_subcommands();
    PrintError((names_no_command ? "no such command: " + app.remaining().front()
                                 : std::string(error.what())) +
               " (see tokenusage " +
               (named.empty() ? "" : named.front()->get_name() + " ") +
               "--help)");
    return kExitUsage;
  }
  const ExitCode exit_code = program.run();
  FlushData();
  const absl::Status written = DataError();
  if (written.ok()) return exit_code;
  PrintError(written);
  return exit_code == kExitOk ? kExitFailure : exit_code;
}

// Opens the standard streams that the shell closed: a file opened later would
// take the stream's place, and be written to.
void OpenStandardStreams() {
  int descriptor;
  do {
    descriptor = open("/dev/null", O_RDWR);
  } while (descriptor >= 0 && descriptor <= STDERR_FILENO);
  close(descriptor);
}

// Keeps libraries from logging what this program says in one line.
void SilenceLibraries() {
  setenv("GRPC_VERBOSITY", "NONE", /*overwrite=*/0);
  SilenceProtobuf();
}

}  // namespace
}  // namespace tokenusage

int main(int argc, char** argv) {
  tokenusage::OpenStandardStreams();
  // A connection or pipe that closes is an error of writing; by default it
  // would end the program silently.
  std::signal(SIGPIPE, SIG_IGN);
  tokenusage::SilenceLibraries();
  try {
    return tokenusage::Run(argc, argv);
  } catch (const std::exception& error) {
    tokenusage::PrintError(error.what());
    return tokenusage::kExitFailure;
  }
}
