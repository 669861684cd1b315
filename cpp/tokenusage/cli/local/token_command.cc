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
Writes the token to a new file that only you may read, and prints the line to add to
the file of `tokenusage serve --identities=FILE`. The line holds the token's SHA-256
and no secret.

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

// Returns the error of the words of an identity, for CLI11 to name the flag.
std::string ErrorIn(const std::string& name, const std::string& projects,
                    const std::string& roles) {
  return std::string(
      FormatIdentity(name, projects, roles, TokenDigest()).status().message());
}

Command AddNewCommand(CLI::App* app) {
  auto flags = std::make_shared<TokenFlags>();
  CLI::App* command = app->add_subcommand("new", "Create a token");
  command->add_option("--name", flags->name, "The caller's name, for logs")
      ->check([](const std::string& v) { return ErrorIn(v, "*", "query"); })
      ->required();
  command
      ->add_option(
          "--projects", flags->projects,
          "The projects that it may access, separated by commas; * is all")
      ->check([](const std::string& v) { return ErrorIn("any", v, "query"); })
      ->required();
  command
      ->add_option("--roles", flags->roles,
                   "What it may do in them: report, query, or report,query")
      ->check([](const std::string& v) { return ErrorIn("any", "*", v); })
      ->required();
  command
      ->add_option("--token-file", flags->token_file,
                   "The file to write the token to; must not exist")
      ->type_name("FILE")
      ->required();
  return {command, [flags] { return FinishLocal(NewTokenFile(*flags)); }};
}

}  // namespace

Command AddTokenCommand(CLI::App* app) {
  CLI::App* command =
      app->add_subcommand("token", "Create tokens for callers of a service");
  command->footer(kFooter);  // its subcommand's too
  command->require_subcommand(1);
  return AddNewCommand(command);
}

}  // namespace tokenusage
