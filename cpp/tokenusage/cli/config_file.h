// A command's flags from a file, and the flags as such a file.
//
//   # /etc/tokenusage/serve.conf
//   store = "sqlite:///var/lib/tokenusage/usage.db"
//   listen = "127.0.0.1:8105"
//   reflection = true
//
// One flag per line, without its dashes, as in TOML. A flag on the command line
// or in the environment counts more than the file.

#ifndef TOKENUSAGE_CLI_CONFIG_FILE_H_
#define TOKENUSAGE_CLI_CONFIG_FILE_H_

#include <string>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"

namespace tokenusage {

// Sets those flags of `command` that nothing has set yet. To be called from the
// command's callback.
//
// Errors, naming the file: INVALID_ARGUMENT: it cannot be read, it has a
// section, a flag that the command does not have or that came before, or a
// value that the flag does not take.
absl::Status ApplyConfigFile(CLI::App* command, const std::string& path);

// Every configurable flag with its value or default, in the form of such a
// file. Passwords in URLs come out as ***.
std::string EffectiveConfig(const CLI::App& command);

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLI_CONFIG_FILE_H_
