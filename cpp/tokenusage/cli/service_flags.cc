#include "tokenusage/cli/commands.h"

namespace tokenusage {

void AddServiceFlags(CLI::App* command, ServiceFlags* flags) {
  command->add_option("--server", flags->server, "The service's host:port")
      ->type_name("HOST:PORT")
      ->envname("TOKENUSAGE_SERVER")
      ->capture_default_str();
  command->add_option("--project", flags->project, "The project's name")
      ->type_name("NAME")
      ->envname("TOKENUSAGE_PROJECT")
      ->required();
}

}  // namespace tokenusage
