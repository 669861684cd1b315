// SPDX-License-Identifier: Apache-2.0

#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tokenusage/base/file.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/cli/commands.h"
#include "tokenusage/cli/exit_code.h"
#include "tokenusage/cli/terminal.h"
#include "tokenusage/cli/times.h"
#include "tokenusage/service/identity/identity_set.h"
#include "tokenusage/service/identity/token.h"

namespace tokenusage {
namespace {

constexpr char kFooter[] = R"(
`new` writes a token to a new file that only you may read, and adds a line to the file
of `tokenusage serve --identities=FILE`, or prints it without that flag. The line holds
the token's SHA-256 and no secret. `list` prints the name, projects, roles, first digits
of the hash and expiry of each line of that file, separated by tabs.

Examples:
  tokenusage token new --name=gateway --projects=demo,web --roles=report \
    --token-file=gateway.token --identities=identities
  tokenusage token new --name=finance --projects='*' --roles=query \
    --token-file=finance.token --identities=identities --expires=2100-01-01
  tokenusage token list --identities=identities
  tokenusage report --token-file=gateway.token --project=demo records.jsonl)";

struct TokenFlags {
  std::string name;
  std::string projects;
  std::string roles;
  std::string token_file;
  std::string identities;
  std::string expires;
};

absl::StatusOr<absl::Time> ExpiryOf(const std::string& text) {
  if (text.empty()) return absl::InfiniteFuture();
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const auto timestamp, ParseTime("--expires", text, absl::UTCTimeZone()));
  if (ToTime(timestamp) > absl::Now()) return ToTime(timestamp);
  return absl::InvalidArgumentError(
      absl::StrCat("--expires: expected a time to come, found ", text));
}

// Adds a line to the file of identities, which need not exist.
absl::Status AddIdentity(const std::string& path, const std::string& line) {
  absl::StatusOr<std::string> text = ReadFile(path);
  if (absl::IsNotFound(text.status())) text = std::string();
  TOKENUSAGE_RETURN_IF_ERROR(text.status());
  if (!text->empty() && text->back() != '\n') *text += '\n';
  // A service that reloads it meanwhile sees all of the line or nothing.
  return ReplaceFile(path, *text + line);
}

absl::Status NewTokenFile(const TokenFlags& flags) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const absl::Time expires,
                              ExpiryOf(flags.expires));
  const std::string token = NewToken();
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const std::string line,
      FormatIdentity(flags.name, flags.projects, flags.roles, DigestOf(token),
                     expires));
  TOKENUSAGE_RETURN_IF_ERROR(
      WriteNewPrivateFile(flags.token_file, token + "\n"));
  absl::Status status;
  if (!flags.identities.empty()) {
    status = AddIdentity(flags.identities, line + "\n");
  } else {
    PrintData(line + "\n");
    if (!FlushData() && DataError().ok()) {
      status = absl::UnavailableError("nobody reads the standard output");
    }
  }
  // Nobody could use a token without its line. main reports DataError.
  if (!status.ok() || !DataError().ok()) unlink(flags.token_file.c_str());
  return status;
}

// Returns the error in the words of an identity, to which CLI11 adds the flag's
// name.
std::string ErrorIn(const std::string& name, const std::string& projects,
                    const std::string& roles) {
  return std::string(
      FormatIdentity(name, projects, roles, TokenDigest()).status().message());
}

Command AddTokenNewCommand(CLI::App* app) {
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
      ->add_option(
          "--roles", flags->roles,
          "What it may do in them: report, query, metrics, or several, "
          "separated by commas")
      ->check([](const std::string& v) { return ErrorIn("any", "*", v); })
      ->required();
  command
      ->add_option("--token-file", flags->token_file,
                   "The file to write the token to; must not exist")
      ->type_name("FILE")
      ->required();
  command
      ->add_option("--identities", flags->identities,
                   "The file of `tokenusage serve --identities` to add the "
                   "line to. Without it, the line is printed")
      ->type_name("FILE");
  command
      ->add_option("--expires", flags->expires,
                   std::string("When it stops being valid: ") + kTimeHelp)
      ->type_name("TIME");
  return {command, [flags] { return FinishLocal(NewTokenFile(*flags)); }};
}

// Returns enough of a credential to tell it from others.
std::string BriefCredential(const std::string& credential) {
  constexpr std::size_t kBytes = 7 + 12;  // "sha256:" and some digits
  return credential.compare(0, 7, "sha256:") == 0 ? credential.substr(0, kBytes)
                                                  : credential;
}

absl::Status ListIdentities(const std::string& path) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  const auto identities = ParseIdentities(text);
  if (!identities.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("file ", path, ": ", identities.status().message()));
  }
  for (const auto& [caller, credential, line] : *identities) {
    std::vector<std::string> roles;
    for (const Role role : caller.roles) roles.emplace_back(RoleName(role));
    PrintData(absl::StrCat(
        caller.name, "\t", absl::StrJoin(caller.projects, ","), "\t",
        absl::StrJoin(roles, ","), "\t", BriefCredential(credential), "\t",
        caller.expires == absl::InfiniteFuture()
            ? "never"
            : absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", caller.expires,
                               absl::UTCTimeZone()),
        "\n"));
  }
  return absl::OkStatus();
}

Command AddTokenListCommand(CLI::App* app) {
  auto path = std::make_shared<std::string>();
  CLI::App* command = app->add_subcommand(
      "list", "Show whose credentials an identity file holds");
  command
      ->add_option("--identities", *path,
                   "The file of `tokenusage serve --identities`")
      ->type_name("FILE")
      ->required();
  return {command, [path] { return FinishLocal(ListIdentities(*path)); }};
}

}  // namespace

Command AddTokenCommand(CLI::App* app) {
  // Its subcommands have the same footer.
  CLI::App* command = AddSubcommand(
      app, "token", "Create and list tokens for callers of a service", kFooter);
  return WithSubcommands(
      command, {AddTokenNewCommand(command), AddTokenListCommand(command)});
}

}  // namespace tokenusage
