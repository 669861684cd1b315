// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/cli/responses.h"

#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "tokenusage/base/excerpt.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/base/string_view.h"
#include "tokenusage/json/json.h"
#include "tokenusage/v1/usage_record.pb.h"

namespace tokenusage {
namespace {

constexpr std::size_t kMaxDocumentBytes = std::size_t{256} << 20;

bool IsBlank(const std::string& line) {
  return line.find_first_not_of(" \t\r") == std::string::npos;
}

// Returns whether the first line of a file is one of server-sent events, which
// may have a byte order mark.
bool IsOfEvents(const std::string& line) {
  const absl::string_view text = absl::StripPrefix(line, "\xEF\xBB\xBF");
  for (const char* field : {"data", "event", "id", "retry", ""}) {
    if (absl::StartsWith(text, absl::StrCat(field, ":"))) return true;
  }
  return false;
}

// Returns whether the line is the beginning of a JSON document that continues
// in the next one.
bool IsBeginning(const std::string& line) {
  v1::UnknownUsage none;
  const std::optional<JsonError> error = GetJsonError(ParseJson(line, &none));
  return error && error->kind == JsonError::Kind::kSyntax &&
         error->byte_offset == line.size();
}

// Returns whether the line holds data of an event other than "[DONE]".
bool HasEvent(const std::string& line) {
  absl::string_view text = line;
  if (!absl::ConsumePrefix(&text, "data:")) return absl::StartsWith(text, "{");
  return absl::StripAsciiWhitespace(text) != "[DONE]";
}

// Returns the error of an event with the column counted from the start of its
// line, which may begin with "data:".
absl::Status InLine(const absl::Status& status, const std::string& line) {
  std::optional<JsonError> error = GetJsonError(status);
  if (!error || error->line != 1 || !absl::StartsWith(line, "data:")) {
    return status;
  }
  error->column += absl::StartsWith(line, "data: ") ? 6 : 5;
  return JsonErrorStatus(*error);
}

// Reads line `line_number`. Errors are those of ReadResponses.
absl::StatusOr<bool> ReadLine(Input* input, std::int64_t line_number,
                              std::string* line) {
  absl::StatusOr<bool> more = input->ReadLine(kMaxDocumentBytes, line);
  if (!absl::IsOutOfRange(more.status())) return more;
  return absl::InvalidArgumentError(DescribeIn(
      input->name(), line_number, FromAbsl(more.status().message())));
}

// Reads up to the first line that is not blank. `line` is empty if there is
// none.
absl::Status ReadFirstLine(Input* input, std::string* line,
                           std::int64_t* line_number) {
  do {
    ++*line_number;
    TOKENUSAGE_ASSIGN_OR_RETURN(const bool more,
                                ReadLine(input, *line_number, line));
    if (!more) return absl::OkStatus();
  } while (IsBlank(*line));
  return absl::OkStatus();
}

// Reads the documents, the first of which starts with `line`.
absl::Status ReadDocumentsFrom(std::string line, std::int64_t line_number,
                               Input* input, const DocumentVisitor& visit) {
  if (IsBeginning(line)) {
    TOKENUSAGE_ASSIGN_OR_RETURN(const std::string rest,
                                input->ReadAll(kMaxDocumentBytes));
    // Errors count lines from the start of the file.
    return visit(std::string(static_cast<std::size_t>(line_number - 1), '\n') +
                     line + "\n" + rest,
                 0);
  }
  while (true) {
    if (!IsBlank(line)) TOKENUSAGE_RETURN_IF_ERROR(visit(line, line_number));
    ++line_number;
    TOKENUSAGE_ASSIGN_OR_RETURN(const bool more,
                                ReadLine(input, line_number, &line));
    if (!more) return absl::OkStatus();
  }
}

// Returns the error of a line that is an event by itself, regardless of the
// lines before it. OK if the dialect's events are not lines.
absl::Status CheckLine(const Dialect& dialect, const std::string& line) {
  if (!dialect.streams_lines) return absl::OkStatus();
  return UsageExtractor(dialect).Feed(line);
}

// Reads the streams, the first of which starts with `line`. Whatever follows
// the end of one, except another "[DONE]", is the next one.
absl::Status ReadStreams(const Dialect& dialect, std::string line,
                         std::int64_t line_number, Input* input,
                         const ResponseVisitor& visit) {
  UsageExtractor extractor(dialect);
  std::int64_t first_line = line_number;
  std::string event;  // the last line that is not blank
  std::int64_t event_line = line_number;
  const auto finish = [&] {
    auto extraction = extractor.Finish();
    if (extraction.ok()) return visit({first_line, *std::move(extraction)});
    return visit({event_line, InLine(extraction.status(), event)});
  };
  for (bool more = true; more; ++line_number) {
    if (extractor.HasEnded() && HasEvent(line)) {
      TOKENUSAGE_RETURN_IF_ERROR(finish());
      first_line = line_number;
    }
    if (!IsBlank(line)) {
      event = line;
      event_line = line_number;
    }
    line.push_back('\n');
    const absl::Status checked = CheckLine(dialect, line);
    if (!checked.ok()) {
      TOKENUSAGE_RETURN_IF_ERROR(visit({line_number, checked}));
    } else if (!extractor.Feed(line).ok()) {
      break;
    }
    TOKENUSAGE_ASSIGN_OR_RETURN(more, ReadLine(input, line_number + 1, &line));
  }
  return finish();
}

}  // namespace

absl::StatusOr<const Dialect*> GetDialect(const std::string& name) {
  const Dialect* dialect = FindDialect(name);
  if (dialect != nullptr) return dialect;
  return absl::InvalidArgumentError(
      absl::StrCat("--dialect: expected one of those that tokenusage dialects "
                   "lists, such as openai.chat, found \"",
                   Excerpt(name), "\""));
}

absl::Status ReadDocuments(Input* input, const DocumentVisitor& visit) {
  std::string line;
  std::int64_t line_number = 0;
  TOKENUSAGE_RETURN_IF_ERROR(ReadFirstLine(input, &line, &line_number));
  return ReadDocumentsFrom(std::move(line), line_number, input, visit);
}

absl::Status ReadResponses(const Dialect& dialect, Input* input,
                           const ResponseVisitor& visit) {
  std::string line;
  std::int64_t line_number = 0;
  TOKENUSAGE_RETURN_IF_ERROR(ReadFirstLine(input, &line, &line_number));
  if (IsOfEvents(line) || (dialect.streams_lines && !IsBeginning(line))) {
    return ReadStreams(dialect, std::move(line), line_number, input, visit);
  }
  return ReadDocumentsFrom(
      std::move(line), line_number, input,
      [&](const std::string& json, std::int64_t number) {
        return visit({number, UsageExtractor(dialect).Extract(json)});
      });
}

std::string Remark(const Extraction& extraction) {
  if (!extraction.detail.empty()) {
    return absl::StrCat("incomplete: ", extraction.detail);
  }
  const bool has_usage =
      extraction.unknown_reason == v1::UNKNOWN_USAGE_REASON_UNSPECIFIED;
  if (extraction.is_complete || !has_usage) return "";
  return "partial: the stream ended early, and what it had stated until then "
         "is not all of its usage";
}

std::string DescribeIn(const std::string& input_name, std::int64_t line_number,
                       std::string_view message) {
  if (line_number == 0) return absl::StrCat(input_name, ": ", ToAbsl(message));
  return absl::StrCat(
      input_name, ":", line_number, ": ",
      absl::StrReplaceAll(ToAbsl(message), {{"(line 1, column ", "(column "}}));
}

}  // namespace tokenusage
