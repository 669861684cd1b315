// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/cli/client/service_flags.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tokenusage/base/file.h"
#include "tokenusage/base/loopback.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/cli/client/server_certificate.h"
#include "tokenusage/cli/commands.h"
#include "tokenusage/service/tls/certificate_set.h"

namespace tokenusage {
namespace {

void AddText(CLI::App* command, const char* name, std::string* value,
             const char* type, const char* help) {
  WithEnvironment(command->add_option(name, *value, help))->type_name(type);
}

void AddTlsFlags(CLI::App* command, ServiceFlags* flags) {
  WithEnvironment(command->add_flag(
      "--tls", flags->tls, "Connect with TLS, and trust the system's CAs"));
  AddText(command, "--tls-ca", &flags->tls_ca, "FILE",
          "Connect with TLS, and trust only the CAs in this file, in PEM");
  AddText(command, "--tls-client-certificate", &flags->tls_client_certificate,
          "FILE", "Connect with TLS, and present this certificate, in PEM");
  AddText(command, "--tls-client-key", &flags->tls_client_key, "FILE",
          "Its private key, in PEM");
  AddText(command, "--tls-server-name", &flags->tls_server_name, "NAME",
          "The name in the server's certificate, if it is not the host");
}

// Returns whether `text` can be a token: printable, and fit for an HTTP header.
bool IsToken(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return c > ' ' && c <= '~';
  });
}

// Refuses a URL, whose scheme would be resolved as a host name.
std::string CheckServer(const std::string& server) {
  if (server.find("://") == std::string::npos) return "";
  return "expected host:port, found a URL; TLS is chosen by --tls or --tls-ca";
}

absl::Status ReadInto(const std::string& path, std::string* content) {
  if (path.empty()) return absl::OkStatus();
  TOKENUSAGE_ASSIGN_OR_RETURN(*content, ReadFile(path));
  return absl::OkStatus();
}

absl::Status ReadToken(const ServiceFlags& flags,
                       ConnectionOptions* connection) {
  if (flags.token_file.empty()) return absl::OkStatus();
  TOKENUSAGE_RETURN_IF_ERROR(ReadInto(flags.token_file, &connection->token));
  absl::StripAsciiWhitespace(&connection->token);
  if (!IsToken(connection->token)) {
    return absl::FailedPreconditionError(
        "--token-file: expected one token, found something else in " +
        flags.token_file);
  }
  if (!connection->transport.tls && !HasLoopbackHost(flags.server)) {
    return absl::FailedPreconditionError(
        "--token-file: the token would go to " + flags.server +
        " in plain text; connect with --tls or --tls-ca");
  }
  return absl::OkStatus();
}

}  // namespace

void AddServiceFlags(CLI::App* command, ServiceFlags* flags) {
  AddConnectionFlags(command, flags);
  WithEnvironment(
      command->add_option("--project", flags->project, "The project's name"))
      ->type_name("NAME")
      ->required();
}

void AddConnectionFlags(CLI::App* command, ServiceFlags* flags) {
  WithEnvironment(
      command->add_option("--server", flags->server, "The service's host:port"))
      ->check(CheckServer)
      ->type_name("HOST:PORT")
      ->capture_default_str();
  AddText(command, "--token-file", &flags->token_file, "FILE",
          "The file with the token to send, from `tokenusage token new`");
  AddTlsFlags(command, flags);
}

absl::StatusOr<ConnectionOptions> ReadConnection(const ServiceFlags& flags) {
  ConnectionOptions connection;
  GrpcTransportOptions& transport = connection.transport;
  transport.servers = {flags.server};
  transport.tls_server_name = flags.tls_server_name;
  transport.token_file = flags.token_file;
  transport.tls = flags.tls || !flags.tls_ca.empty() ||
                  !flags.tls_client_certificate.empty();
  if (flags.tls_client_certificate.empty() != flags.tls_client_key.empty()) {
    return absl::FailedPreconditionError(
        "--tls-client-certificate and --tls-client-key must be given together");
  }
  TOKENUSAGE_RETURN_IF_ERROR(ReadInto(flags.tls_ca, &transport.tls_ca));
  if (!flags.tls_ca.empty() && !HasCertificate(transport.tls_ca)) {
    return absl::FailedPreconditionError(
        "--tls-ca: expected a certificate in PEM, found none in " +
        flags.tls_ca);
  }
  TOKENUSAGE_RETURN_IF_ERROR(
      ReadInto(flags.tls_client_certificate, &transport.tls_certificate));
  TOKENUSAGE_RETURN_IF_ERROR(
      ReadInto(flags.tls_client_key, &transport.tls_key));
  if (!transport.tls_certificate.empty()) {
    const absl::Status pair =
        CheckCertificates(transport.tls_certificate, transport.tls_key, "",
                          absl::Now())
            .status();
    if (!pair.ok()) {
      return absl::FailedPreconditionError(
          absl::StrCat("--tls-client-certificate: ", pair.message()));
    }
  }
  TOKENUSAGE_RETURN_IF_ERROR(ReadToken(flags, &connection));
  return connection;
}

}  // namespace tokenusage
