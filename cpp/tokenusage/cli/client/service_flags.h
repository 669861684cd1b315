// SPDX-License-Identifier: Apache-2.0

// The flags of every command that calls a service: the server, the project, TLS
// and the token.

#ifndef TOKENUSAGE_CLI_CLIENT_SERVICE_FLAGS_H_
#define TOKENUSAGE_CLI_CLIENT_SERVICE_FLAGS_H_

#include <string>

#include "CLI/CLI.hpp"
#include "absl/status/statusor.h"
#include "tokenusage/cli/client/client.h"

namespace tokenusage {

struct ServiceFlags {
  std::string server = "127.0.0.1:8105";
  std::string project;
  bool tls = false;
  std::string tls_ca;
  std::string tls_client_certificate;
  std::string tls_client_key;
  std::string tls_server_name;
  std::string token_file;
};
void AddServiceFlags(CLI::App* command, ServiceFlags* flags);

// Adds all of them but --project.
void AddConnectionFlags(CLI::App* command, ServiceFlags* flags);

// Reads the files that the flags name.
//
// Errors: those of ReadFile. FAILED_PRECONDITION if flags do not go together, a
// file holds no certificate, key or token, or the token would cross the network
// in plain text.
absl::StatusOr<ConnectionOptions> ReadConnection(const ServiceFlags& flags);

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLI_CLIENT_SERVICE_FLAGS_H_
