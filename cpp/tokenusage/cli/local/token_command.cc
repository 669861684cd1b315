// SPDX-License-Identifier: Apache-2.0

#include <memory>
#include <string>

#include "tokenusage/base/file.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/cli/commands.h"
#include "tokenusage/cli/exit_code.h"
#include "tokenusage/cli/terminal.h"
#include "tokenusage/service/identity/identity_set.h"
#include "tokenusage/service/identity/token.h"

namespace tokenusage {
namespace {

constexpr char kFooter[] = R"(
Writes the token to a new file that only you may read, and prints the line that
lets `tokenusage serve --identities=FILE` know it. That line holds the token's
SHA-256 and no secret.

Examples:
  tokenusage token new --name=gateway --projects=demo,web --roles=report \
    --token-file=gateway.token >> identities
  tokenusage token new --name=finance --projects='*' --roles=query \
    --token-file=finance.token >> identities
  tokenusage report --token-file=gateway.token --project=demo records.jsonl)";

struct TokenFlags {
  std::string name;
  std::string projects;
  std::string roles;
  std::string token_file;
};

absl::Status NewTokenFile(const TokenFlags& flags) {
  const std::string token = NewToken();
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const std::string line,
      FormatIdentity(flags.name, flags.projects, flags.roles, DigestOf(token)));
  TOKENUSAGE_RETURN_IF_ERROR(
      WriteNewPrivateFile(flags.token_file, token + "\n"));
  PrintData(line + "\n");
  return absl::OkStatus();
}

void AddNewCommand(CLI::App* app, int* exit_code) {
  auto flags = std::make_shared<TokenFlags>();
  CLI::App* command = app->add_subcommand("new", "Make a token");
  command->add_option("--name", flags->name, "Whose token it is, for logs")
      ->required();
  command
      ->add_option("--projects", flags->projects,
                   "The projects it is for, with commas between; * is all")
      ->required();
  command
      ->add_option("--roles", flags->roles,
                   "What it may do there: report, query, or report,query")
      ->required();
  command
      ->add_option("--token-file", flags->token_file,
                   "The file to write the token to; there must be none yet")
      ->type_name("FILE")
      ->required();
  command->callback([flags, exit_code] {
    const absl::Status status = NewTokenFile(*flags);
    if (!status.ok()) PrintError(std::string(status.message()));
    *exit_code = status.ok()                       ? kExitOk
                 : absl::IsInvalidArgument(status) ? kExitUsage
                                                   : kExitFailure;
  });
}

}  // namespace

void AddTokenCommand(CLI::App* app, int* exit_code) {
  CLI::App* command =
      app->add_subcommand("token", "Make tokens for callers of a service");
  command->footer(kFooter);  // for its subcommand too
  command->require_subcommand(1);
  AddNewCommand(command, exit_code);
}

}  // namespace tokenusage
