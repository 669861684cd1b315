// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/cli/serve/serve_flags.h"

#include <unistd.h>

#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tokenusage/base/loopback.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/cli/commands.h"
#include "tokenusage/cli/open_store.h"
#include "tokenusage/service/retention.h"
#include "tokenusage/service/server/listen_address.h"

namespace tokenusage {
namespace {

// Adds the variables of the flags of the command and of its subcommands.
void AddVariables(const CLI::App& command, std::set<std::string>* names) {
  for (const CLI::Option* option : command.get_options()) {
    names->insert(option->get_envname());
  }
  for (const CLI::App* subcommand :
       command.get_subcommands([](const CLI::App*) { return true; })) {
    AddVariables(*subcommand, names);
  }
}

// Refuses an empty value, which must not count as none: a script whose variable
// is unset would start a service without --identities.
std::string CheckNotEmpty(const std::string& value) {
  return value.empty() ? "expected a value, found an empty one" : "";
}

CLI::Option* AddText(CLI::App* command, const char* name, std::string* value,
                     const char* type, const std::string& help) {
  CLI::Option* option = command->add_option(name, *value, help)
                            ->type_name(type)
                            ->check(CheckNotEmpty);
  if (!value->empty()) option->capture_default_str();
  return WithEnvironment(option);
}

void AddSecurityFlags(CLI::App* command, ServeFlags* flags) {
  AddText(command, "--identities", &flags->identities, "FILE",
          "The authorised callers: a line per token or certificate, as "
          "`tokenusage token new` prints it. Without it, anyone who can reach "
          "the address may do everything");
  AddText(command, "--tls-certificate", &flags->tls.certificate, "FILE",
          "Serve with TLS and this certificate, followed by those that lead "
          "to its root, in PEM");
  AddText(command, "--tls-key", &flags->tls.key, "FILE",
          "Its private key, in PEM");
  AddText(command, "--tls-client-ca", &flags->tls.client_ca, "FILE",
          "Ask callers for certificates signed by the CAs in this file, in "
          "PEM");
  AddText(command, "--tls-client-auth", &flags->tls_client_auth, "WHEN",
          "Whether callers must show one, with --tls-client-ca: required (the "
          "default) or optional")
      ->check(CLI::IsMember({"required", "optional"}));
  WithEnvironment(command->add_flag(
      "--insecure-plaintext-on-any-address",
      flags->insecure_plaintext_on_any_address,
      "Serve without TLS on an address that is not loopback: anyone on the "
      "network path can read and alter traffic, tokens included"));
}

void AddWatchFlags(CLI::App* command, ServeFlags* flags) {
  WithEnvironment(command->add_flag(
      "--reflection", flags->reflection,
      "Serve gRPC reflection, which shows the schema to every caller"));
  AddText(command, "--log-format", &flags->log_format, "FORMAT",
          "The log's format: text or json")
      ->check(CLI::IsMember({"text", "json"}));
  AddText(command, "--log-level", &flags->log_level, "LEVEL",
          "The least severe level to log: debug, info, warn or error")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}));
}

void AddRollupFlags(CLI::App* command, ServeFlags* flags) {
  AddText(command, "--rollup-labels", &flags->rollup_labels, "KEYS",
          "The labels, up to four, that a new database keeps rollups by, such "
          "as customer,team: totals by them are fast, and stay when records "
          "are removed. An existing database must have the same");
  WithEnvironment(
      command->add_option(
          "--max-series", flags->max_series,
          "The most combinations of operation, provider and model, and of the "
          "rollup labels' values, that a project may have together"))
      ->check(CLI::Range(1, kMostSeriesPerProject))
      ->capture_default_str();
}

// Checks that the address may be served with the other flags.
absl::Status CheckListen(const ServeFlags& flags, const char* flag,
                         const std::string& address) {
  TOKENUSAGE_RETURN_IF_ERROR(InFlag(flag, CheckAddress(address)));
  if (HasLoopbackHost(address)) return absl::OkStatus();
  if (!flags.has_tls() && !flags.insecure_plaintext_on_any_address) {
    return absl::InvalidArgumentError(absl::StrCat(
        flag, ": ", address,
        " is not a loopback address: serve it with --tls-certificate and "
        "--tls-key, or choose --insecure-plaintext-on-any-address"));
  }
  if (flags.has_tls() && flags.identities.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        flag, ": ", address,
        " is not a loopback address, so --identities must name the authorised "
        "callers"));
  }
  return absl::OkStatus();
}

}  // namespace

ClientCertificate ServeFlags::client_certificate() const {
  if (tls.client_ca.empty()) return ClientCertificate::kNone;
  return tls_client_auth == "optional" ? ClientCertificate::kOptional
                                       : ClientCertificate::kRequired;
}

RollupOptions ServeFlags::rollups() const {
  RollupOptions options;
  if (!rollup_labels.empty()) {
    options.labels = ParseRollupLabels(rollup_labels).value();
  }
  options.max_series = max_series;
  return options;
}

LogFormat ServeFlags::parsed_log_format() const {
  return log_format == "json" ? LogFormat::kJson : LogFormat::kText;
}

void AddServeFlags(CLI::App* command, ServeFlags* flags) {
  AddText(command, "--store", &flags->store, "URL",
          std::string(kStoreUrlHelp) +
              ". A SQLite file is created if it does not exist");
  AddText(command, "--listen", &flags->listen, "HOST:PORT",
          "The host:port to serve; port 0 takes a free one. Without TLS the "
          "host must be a loopback address");
  AddText(
      command, "--http-listen", &flags->http_listen, "HOST:PORT",
      "Also serve HTTP there, under the same rules: the same methods by the "
      "Connect protocol, a page at /, /metrics and /healthz");
  WithEnvironment(command->add_option(
                      "--drain-seconds", flags->drain_seconds,
                      "How long active calls may take to finish at shutdown"))
      ->check(CLI::Range(0, 3600))
      ->capture_default_str();
  AddText(command, "--retain", &flags->retain, "TIME",
          "Remove records older than this, such as 90d or 36h, and keep their "
          "totals: docs/retention.md. Without it, all records are kept");
  AddRollupFlags(command, flags);
  AddSecurityFlags(command, flags);
  AddWatchFlags(command, flags);
  AddText(command, "--config", &flags->config, "FILE",
          "A file of flags, one per line, as --print-config prints them")
      ->configurable(false);
  command
      ->add_flag("--print-config", flags->print_config,
                 "Print each flag that has a value, and exit")
      ->configurable(false);
  command
      ->add_flag("--check", flags->check,
                 "Check the flags, the identities and the TLS files, and exit")
      ->configurable(false);
}

std::vector<std::string> UnknownVariables(const CLI::App& program) {
  std::set<std::string> known;
  AddVariables(program, &known);
  std::vector<std::string> unknown;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    std::string name = text.substr(0, text.find('='));
    if (name.compare(0, kVariablePrefix.size(), kVariablePrefix) == 0 &&
        known.count(name) == 0) {
      unknown.push_back(std::move(name));
    }
  }
  return unknown;
}

absl::Status CheckServeFlags(const ServeFlags& flags) {
  if (flags.tls.certificate.empty() != flags.tls.key.empty()) {
    return absl::InvalidArgumentError(
        "--tls-certificate and --tls-key must be given together");
  }
  if (!flags.has_tls() && !flags.tls.client_ca.empty()) {
    return absl::InvalidArgumentError(
        "--tls-client-ca needs --tls-certificate and --tls-key");
  }
  if (flags.tls.client_ca.empty() && !flags.tls_client_auth.empty()) {
    return absl::InvalidArgumentError(
        "--tls-client-auth needs --tls-client-ca");
  }
  if (flags.has_tls() && flags.insecure_plaintext_on_any_address) {
    return absl::InvalidArgumentError(
        "--insecure-plaintext-on-any-address and --tls-certificate exclude "
        "each other");
  }
  if (!flags.retain.empty()) {
    TOKENUSAGE_RETURN_IF_ERROR(
        InFlag("--retain", ParseRetention(flags.retain).status()));
  }
  TOKENUSAGE_RETURN_IF_ERROR(InFlag(
      "--rollup-labels", ParseRollupLabels(flags.rollup_labels).status()));
  TOKENUSAGE_RETURN_IF_ERROR(CheckListen(flags, "--listen", flags.listen));
  if (flags.http_listen.empty()) return absl::OkStatus();
  return CheckListen(flags, "--http-listen", flags.http_listen);
}

}  // namespace tokenusage
