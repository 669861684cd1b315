// The subcommands, one file each. Each function adds its command to `app`; when
// the command line names it, it runs and leaves its exit code in `exit_code`.

#ifndef TOKENUSAGE_CLI_COMMANDS_H_
#define TOKENUSAGE_CLI_COMMANDS_H_

#include <string>

#include "CLI/CLI.hpp"
#include "absl/status/statusor.h"
#include "tokenusage/cli/client.h"

namespace tokenusage {

void AddConvertCommand(CLI::App* app, int* exit_code);
void AddDbCommand(CLI::App* app, int* exit_code);
void AddGetCommand(CLI::App* app, int* exit_code);
void AddListCommand(CLI::App* app, int* exit_code);
void AddQueryCommand(CLI::App* app, int* exit_code);
void AddReportCommand(CLI::App* app, int* exit_code);
void AddServeCommand(CLI::App* app, int* exit_code);
void AddTokenCommand(CLI::App* app, int* exit_code);
void AddVersionCommand(CLI::App* app, int* exit_code);

// What every command that calls a service has: --server, --project, and how it
// connects.
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

// Reads the files that the flags name.
//
// Errors: those of ReadFile; FAILED_PRECONDITION: flags that do not go
// together, a file that holds no token, a token that would go over the network
// in plain text.
absl::StatusOr<ConnectionOptions> ReadConnection(const ServiceFlags& flags);

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLI_COMMANDS_H_
