// SPDX-License-Identifier: Apache-2.0

// The service's log on stderr: one line per event, as text or JSON.
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

// Starts the log. Call it once, before the first Log.
void StartLog(LogFormat format, LogLevel least);

// Logs an event if its level is at least that of StartLog. Control characters
// and bytes that are not UTF-8 are escaped. Thread-safe.
void Log(LogLevel level, std::string_view message, const LogFields& fields);

// Formats what Log writes after the time and the level.
std::string FormatLogLine(LogFormat format, std::string_view message,
                          const LogFields& fields);

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLI_SERVE_SERVER_LOG_H_
