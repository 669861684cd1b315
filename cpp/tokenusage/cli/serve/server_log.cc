// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/cli/serve/server_log.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
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

// Returns what follows the time and the level of a line: for JSON, members
// without the braces around them.
std::string FormatLine(std::string_view message, const LogFields& fields) {
  std::string line;
  if (format == LogFormat::kText) {
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

// Returns the number of refusals of this kind that were left out since the last
// one that was admitted, or nullopt if this one is left out, too.
std::optional<int> AdmitRefusal(const std::string& kind, absl::Time now) {
  constexpr absl::Duration kInterval = absl::Seconds(6);
  constexpr int kBurst = 10;
  struct Limit {
    absl::Time next = absl::InfinitePast();
    int left_out = 0;
  };
  static std::mutex mutex;
  static auto* const limits = new std::map<std::string, Limit>;
  const std::lock_guard<std::mutex> lock(mutex);
  Limit& limit = (*limits)[kind];
  const absl::Time next =
      std::max(limit.next, now - kBurst * kInterval) + kInterval;
  if (next > now) {
    ++limit.left_out;
    return std::nullopt;
  }
  limit.next = next;
  return std::exchange(limit.left_out, 0);
}

}  // namespace

void StartLog(LogFormat log_format, LogLevel min_level) {
  format = log_format;
  auto logger = spdlog::stderr_logger_mt("tokenusage");
  // %v is the line of FormatLine.
  const char* pattern =
      format == LogFormat::kText
          ? "%Y-%m-%dT%H:%M:%S.%eZ %l %v"
          : R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})";
  logger->set_formatter(std::make_unique<spdlog::pattern_formatter>(
      pattern, spdlog::pattern_time_type::utc));
  logger->set_level(min_level);
  logger->flush_on(spdlog::level::trace);  // Flushes each line.
  spdlog::set_default_logger(std::move(logger));
}

void Log(LogLevel level, std::string_view message, const LogFields& fields) {
  if (!spdlog::should_log(level)) return;
  spdlog::log(level, "{}", FormatLine(message, fields));
}

void LogRefusal(const std::string& kind, std::string_view message,
                LogFields fields) {
  const std::optional<int> left_out = AdmitRefusal(kind, absl::Now());
  if (!left_out) return;
  if (*left_out > 0) {
    fields.emplace_back("left_out", absl::StrCat(*left_out));
  }
  Log(LogLevel::warn, message, fields);
}

}  // namespace tokenusage
