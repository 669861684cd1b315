// SPDX-License-Identifier: Apache-2.0

// The service's log, on stderr: one line per event, for people or for programs.
//
//   StartLog(LogFormat::kJson, LogLevel::kInfo);
//   Log(LogLevel::kInfo, "serving", {{"address", "127.0.0.1:8105"}});
//
// As text:  2026-11-22T17:50:43.123Z info serving address=127.0.0.1:8105
// As JSON:  {"time":"2026-11-22T17:50:43.123Z","level":"info",
//            "message":"serving","address":"127.0.0.1:8105"}
//
// What goes in must not be secret: no token, no key, nothing that callers send.

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

// To be called before the first Log, once.
void StartLog(LogFormat format, LogLevel least);

// Writes the event where its level is at least the one of StartLog. Control
// characters and bytes that are not UTF-8 come out escaped. Thread-safe.
void Log(LogLevel level, std::string_view message, const LogFields& fields);

// What Log adds to the time and the level.
std::string FormatLogLine(LogFormat format, std::string_view message,
                          const LogFields& fields);

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLI_SERVE_SERVER_LOG_H_
