// SPDX-License-Identifier: Apache-2.0

// tokenusage: the service, and everything to use it from a shell.

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

Data goes to stdout, words go to stderr. Exit codes: 0 ok, 1 failure,
2 bad input, 64 wrong usage, 69 service unavailable.)";

int Run(int argc, char** argv) {
  CLI::App app("Records the token usage of AI models once, and sums it exactly",
               "tokenusage");
  app.footer(kFooter);
  app.require_subcommand(1);
  int exit_code = kExitOk;
  app.set_version_flag("--version", [] { return std::string(kVersion); });
  AddServeCommand(&app, &exit_code);
  AddReportCommand(&app, &exit_code);
  AddQueryCommand(&app, &exit_code);
  AddListCommand(&app, &exit_code);
  AddGetCommand(&app, &exit_code);
  AddConvertCommand(&app, &exit_code);
  AddTokenCommand(&app, &exit_code);
  AddDbCommand(&app, &exit_code);
  AddVersionCommand(&app, &exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    const bool names_no_command =
        app.get_subcommands().empty() && !app.remaining().empty();
    const auto commands = app.get_subcommands();
    PrintError((names_no_command ? "no such command: " + app.remaining().front()
                                 : std::string(error.what())) +
               " (see tokenusage " +
               (commands.empty() ? "" : commands.front()->get_name() + " ") +
               "--help)");
    return kExitUsage;
  }
  const absl::Status flushed = FlushData();
  if (flushed.ok()) return exit_code;
  PrintError(std::string(flushed.message()));
  return kExitFailure;
}

// Where the shell closed a standard stream, a file that is opened later would
// take its place, and be written to.
void OpenStandardStreams() {
  int descriptor;
  do {
    descriptor = open("/dev/null", O_RDWR);
  } while (descriptor >= 0 && descriptor <= STDERR_FILENO);
  close(descriptor);
}

// What libraries log on their own, this program says in one line.
void SilenceLibraries() {
  setenv("GRPC_VERBOSITY", "NONE", /*overwrite=*/0);
  SilenceProtobuf();
}

}  // namespace
}  // namespace tokenusage

int main(int argc, char** argv) {
  tokenusage::OpenStandardStreams();
  // A reader that goes away, as `head` does, is an error of writing and no
  // reason to die without a word.
  std::signal(SIGPIPE, SIG_IGN);
  tokenusage::SilenceLibraries();
  try {
    return tokenusage::Run(argc, argv);
  } catch (const std::exception& error) {
    tokenusage::PrintError(error.what());
    return tokenusage::kExitFailure;
  }
}
