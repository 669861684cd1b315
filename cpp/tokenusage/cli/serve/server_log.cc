// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/cli/serve/server_log.h"

#include <cstddef>

#include "absl/strings/str_cat.h"
#include "spdlog/pattern_formatter.h"
#include "spdlog/sinks/stdout_sinks.h"
#include "spdlog/spdlog.h"
#include "tokenusage/base/excerpt.h"
#include "tokenusage/base/json_string.h"

namespace tokenusage {
namespace {

// Set once, by StartLog.
LogFormat format = LogFormat::kText;

constexpr std::size_t kMaxValueChars = 2000;

// Escapes what could break the line, and cuts what is too long.
std::string Clean(std::string_view text) {
  return Excerpt(text, kMaxValueChars);
}

std::string Quoted(std::string_view text) {
  std::string quoted;
  AppendJsonString(Clean(text), &quoted);
  return quoted;
}

// Quotes `text` unless it is a single word without quotation marks or "=".
std::string QuotedIfNeeded(std::string_view text) {
  const std::string clean = Clean(text);
  const bool is_word =
      !clean.empty() && clean.find_first_of(" \"=") == std::string::npos;
  return is_word ? clean : Quoted(text);
}

spdlog::level::level_enum LevelOf(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      break;
  }
  return spdlog::level::err;
}

}  // namespace

void StartLog(LogFormat log_format, LogLevel min_level) {
  format = log_format;
  auto logger = spdlog::stderr_logger_mt("tokenusage");
  // %v is the line of FormatLogLine.
  const char* pattern =
      format == LogFormat::kText
          ? "%Y-%m-%dT%H:%M:%S.%eZ %l %v"
          : R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})";
  logger->set_formatter(std::make_unique<spdlog::pattern_formatter>(
      pattern, spdlog::pattern_time_type::utc));
  logger->set_level(LevelOf(min_level));
  logger->flush_on(spdlog::level::trace);  // Flushes each line.
  spdlog::set_default_logger(std::move(logger));
}

void Log(LogLevel level, std::string_view message, const LogFields& fields) {
  if (!spdlog::should_log(LevelOf(level))) return;
  spdlog::log(LevelOf(level), "{}", FormatLogLine(format, message, fields));
}

std::string FormatLogLine(LogFormat log_format, std::string_view message,
                          const LogFields& fields) {
  std::string line;
  if (log_format == LogFormat::kText) {
    line = Clean(message);
    for (const auto& [name, value] : fields) {
      absl::StrAppend(&line, " ", name, "=", QuotedIfNeeded(value));
    }
    return line;
  }
  line = absl::StrCat("\"message\":", Quoted(message));
  for (const auto& [name, value] : fields) {
    absl::StrAppend(&line, ",\"", name, "\":", Quoted(value));
  }
  return line;
}

}  // namespace tokenusage
