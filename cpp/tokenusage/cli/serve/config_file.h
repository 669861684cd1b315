// SPDX-License-Identifier: Apache-2.0

// Reads a command's flags from a file in CLI11's format: a simple TOML.
//
//   # /etc/tokenusage/serve.conf
//   store = "sqlite:///var/lib/tokenusage/usage.db"
//   listen = "127.0.0.1:8105"
//   reflection = true
//
// One flag per line, without its dashes. A flag on the command line or in the
// environment wins over the file.

#ifndef TOKENUSAGE_CLI_SERVE_CONFIG_FILE_H_
#define TOKENUSAGE_CLI_SERVE_CONFIG_FILE_H_

#include <string>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"

namespace tokenusage {

// Sets the flags of `command` that nothing has set yet. Call it once the
// command line is parsed.
//
// Errors: INVALID_ARGUMENT, naming the file and, if it can be read, the line:
// it is not FLAG = VALUE; the flag does not exist or occurs twice; the value is
// not valid. URLs are not repeated: they may hold a password.
absl::Status ApplyConfigFile(CLI::App* command, const std::string& path);

// Returns the flags that have a value or a default, in the format of such a
// file. Passwords in URLs are replaced by "***".
std::string EffectiveConfig(const CLI::App& command);

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLI_SERVE_CONFIG_FILE_H_
