// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/cli/serve/server_log.h"

#include <cstddef>

#include "spdlog/pattern_formatter.h"
#include "spdlog/sinks/stdout_sinks.h"
#include "spdlog/spdlog.h"
#include "tokenusage/base/excerpt.h"
#include "tokenusage/json/json_string.h"

namespace tokenusage {
namespace {

LogFormat format = LogFormat::kText;

constexpr std::size_t kMaxValueChars = 2000;

std::string Clean(std::string_view text) {
  return Excerpt(text, kMaxValueChars);
}

void AppendWord(std::string_view text, std::string* line) {
  const std::string clean = Clean(text);
  if (!clean.empty() && clean.find_first_of(" \"=") == std::string::npos) {
    *line += clean;
  } else {
    AppendJsonString(clean, line);
  }
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

void StartLog(LogFormat log_format, LogLevel least) {
  format = log_format;
  auto logger = spdlog::stderr_logger_mt("tokenusage");
  const char* pattern =
      format == LogFormat::kText
          ? "%Y-%m-%dT%H:%M:%S.%eZ %l %v"
          : R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})";
  logger->set_formatter(std::make_unique<spdlog::pattern_formatter>(
      pattern, spdlog::pattern_time_type::utc));
  logger->set_level(LevelOf(least));
  logger->flush_on(spdlog::level::trace);
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
      line += " " + name + "=";
      AppendWord(value, &line);
    }
    return line;
  }
  line = "\"message\":";
  AppendJsonString(Clean(message), &line);
  for (const auto& [name, value] : fields) {
    line += ",\"" + name + "\":";
    AppendJsonString(Clean(value), &line);
  }
  return line;
}

}  // namespace tokenusage
