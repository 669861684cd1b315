// SPDX-License-Identifier: Apache-2.0

// The log of `tokenusage serve` on stderr: one line per event, as text or JSON.
//
//   StartLog(LogFormat::kJson, LogLevel::kInfo);
//   Log(LogLevel::kInfo, "serving", {{"address", "127.0.0.1:8105"}});
//
// As text:  2026-11-22T17:50:43.123Z info serving address=127.0.0.1:8105
// As JSON:  {"time":"2026-11-22T17:50:43.123Z","level":"info",
//            "message":"serving","address":"127.0.0.1:8105"}
//
// Never log secrets: no token, no key, nothing that callers send.

#ifndef TOKENUSAGE_CLI_SERVE_SERVER_LOG_H_
#define TOKENUSAGE_CLI_SERVE_SERVER_LOG_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tokenusage {

enum class LogFormat { kText, kJson };
enum class LogLevel { kDebug, kInfo, kWarning, kError };

using LogFields = std::vector<std::pair<std::string, std::string>>;

// Starts the log. Call it once, before the first Log and before other threads
// run.
void StartLog(LogFormat format, LogLevel min_level);

// Logs an event if `level` is at least the `min_level` of StartLog. Control
// characters and bytes that are not UTF-8 are escaped, and the message and the
// values are cut after 2000 characters. Field names are written as they are.
// Thread-safe.
void Log(LogLevel level, std::string_view message, const LogFields& fields);

// Returns what Log writes after the time and the level: for JSON, members
// without the braces around them.
std::string FormatLogLine(LogFormat format, std::string_view message,
                          const LogFields& fields);

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLI_SERVE_SERVER_LOG_H_
