// SPDX-License-Identifier: Apache-2.0

// The flags of `tokenusage serve`.

#ifndef TOKENUSAGE_CLI_SERVE_SERVE_FLAGS_H_
#define TOKENUSAGE_CLI_SERVE_SERVE_FLAGS_H_

#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "tokenusage/cli/serve/server_log.h"
#include "tokenusage/service/tls/certificate_set.h"
#include "tokenusage/service/tls/reloading_credentials.h"
#include "tokenusage/store/rollup_options.h"

namespace tokenusage {

struct ServeFlags {
  std::string store = "sqlite://tokenusage.db";
  std::string listen = "127.0.0.1:8105";
  std::string http_listen;
  int drain_seconds = 10;
  std::string retain;
  std::string rollup_labels;
  int max_series = kMaxSeriesPerProject;

  std::string identities;
  CertificatePaths tls;
  std::string tls_client_auth;
  bool insecure_plaintext_on_any_address = false;

  bool reflection = false;
  std::string log_format = "text";
  std::string log_level = "info";

  std::string config;
  bool print_config = false;
  bool check = false;

  bool has_tls() const { return !tls.certificate.empty(); }
  ClientCertificate client_certificate() const;
  // Returns the options of rollups. Call it after CheckServeFlags.
  RollupOptions rollups() const;
  LogFormat parsed_log_format() const;
};

// Adds the flags. All but --print-config and --check can also be given in the
// environment, such as TOKENUSAGE_LISTEN; all but these and --config also in
// the file of --config.
void AddServeFlags(CLI::App* command, ServeFlags* flags);

// Returns the environment variables that look like a flag of some command of
// the program, but are not.
std::vector<std::string> UnknownVariables(const CLI::App& program);

// Returns INVALID_ARGUMENT if a flag is invalid, or flags do not go together.
absl::Status CheckServeFlags(const ServeFlags& flags);

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLI_SERVE_SERVE_FLAGS_H_
