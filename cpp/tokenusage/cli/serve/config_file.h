// SPDX-License-Identifier: Apache-2.0

// A command's flags from a file, and the flags as such a file.
//
//   # /etc/tokenusage/serve.conf
//   store = "sqlite:///var/lib/tokenusage/usage.db"
//   listen = "127.0.0.1:8105"
//   reflection = true
//
// One flag per line, without its dashes, in a small part of TOML: strings in
// quotes with JSON's escapes, or as they are between apostrophes; numbers, true
// and false; comments. A flag on the command line or in the environment counts
// more than the file.

#ifndef TOKENUSAGE_CLI_SERVE_CONFIG_FILE_H_
#define TOKENUSAGE_CLI_SERVE_CONFIG_FILE_H_

#include <string>
#include <string_view>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"

namespace tokenusage {

// Sets those flags of `command` that nothing has set yet. To be called from the
// command's callback.
//
// Errors: INVALID_ARGUMENT, naming the file: it cannot be read; or its line:
// there is no flag with a value, but a section, say; a flag that the command
// does not have or that came before; a value that the flag does not take.
absl::Status ApplyConfigFile(CLI::App* command, const std::string& path);

// The same with a file's text; `path` only stands in errors.
absl::Status ApplyConfigText(CLI::App* command, const std::string& path,
                             std::string_view text);

// Every configurable flag with its value or default, in the form of such a
// file; those that have neither in a comment. Passwords in URLs come out as
// ***.
std::string EffectiveConfig(const CLI::App& command);

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLI_SERVE_CONFIG_FILE_H_
