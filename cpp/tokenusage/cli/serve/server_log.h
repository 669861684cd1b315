// SPDX-License-Identifier: Apache-2.0

// The log of `tokenusage serve` on stderr: one line per event, as text or JSON.
//
//   StartLog(LogFormat::kJson, LogLevel::info);
//   Log(LogLevel::info, "serving", {{"address", "127.0.0.1:8105"}});
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

#include "spdlog/common.h"

namespace tokenusage {

enum class LogFormat { kText, kJson };
using LogLevel = spdlog::level::level_enum;  // debug, info, warn, err

using LogFields = std::vector<std::pair<std::string, std::string>>;

// Starts the log. Call it once, before the first Log and before other threads
// run.
void StartLog(LogFormat format, LogLevel min_level);

// Logs an event if `level` is at least the `min_level` of StartLog. Control
// characters and bytes that are not UTF-8 are escaped, and the message and the
// values are cut after 2000 characters. Field names are written as they are.
// Thread-safe.
void Log(LogLevel level, std::string_view message, const LogFields& fields);

// Logs, as a warning, an event that outsiders can cause at will: of each kind
// one per 6 seconds, and 10 at once after a pause, so that a flood of one kind
// does not hide the others. The field `left_out` is the number of those that
// were left out before it. Outsiders must not be able to invent kinds: they are
// never forgotten. Thread-safe.
void LogRefusal(const std::string& kind, std::string_view message,
                LogFields fields);

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLI_SERVE_SERVER_LOG_H_
