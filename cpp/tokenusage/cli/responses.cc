// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/cli/responses.h"

#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tokenusage/base/excerpt.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/json/json.h"
#include "tokenusage/v1/usage_record.pb.h"

namespace tokenusage {
namespace {

constexpr std::size_t kMaxDocumentBytes = std::size_t{256} << 20;

bool IsBlank(const std::string& line) {
  return line.find_first_not_of(" \t\r") == std::string::npos;
}

// Returns whether the line is one of server-sent events.
bool IsOfEvents(const std::string& line) {
  for (const char* field : {"data", "event", "id", "retry", ""}) {
    if (absl::StartsWith(line, absl::StrCat(field, ":"))) return true;
  }
  return false;
}

// Returns whether the text is one JSON object and nothing else.
bool IsWholeObject(const std::string& text) {
  v1::UnknownUsage none;
  const absl::Status status = ParseJson(text, &none);
  const std::optional<JsonError> error = GetJsonError(status);
  return !error || error->kind == JsonError::Kind::kMissingField;
}

// Reads lines up to the first that is not blank, which is empty at the input's
// end.
absl::Status ReadFirstLine(Input* input, std::string* line,
                           std::int64_t* line_number) {
  do {
    ++*line_number;
    TOKENUSAGE_ASSIGN_OR_RETURN(const bool more,
                                input->ReadLine(kMaxDocumentBytes, line));
    if (!more) return absl::OkStatus();
  } while (IsBlank(*line));
  return absl::OkStatus();
}

using DocumentVisitor =
    std::function<absl::Status(const std::string&, std::int64_t)>;

// Reads the rest of the documents that start with `line`.
absl::Status ReadDocumentsFrom(std::string line, std::int64_t line_number,
                               Input* input, const DocumentVisitor& visit) {
  if (!IsWholeObject(line)) {
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
                                input->ReadLine(kMaxDocumentBytes, &line));
    if (!more) return absl::OkStatus();
  }
}

absl::StatusOr<Extraction> ReadStream(const Dialect& dialect, std::string line,
                                      Input* input) {
  UsageExtractor extractor(dialect);
  for (bool more = true; more;) {
    line.push_back('\n');
    if (!extractor.Feed(line).ok()) break;
    TOKENUSAGE_ASSIGN_OR_RETURN(more,
                                input->ReadLine(kMaxDocumentBytes, &line));
  }
  return extractor.Finish();
}

}  // namespace

absl::StatusOr<const Dialect*> GetDialect(const std::string& name) {
  const Dialect* dialect = FindDialect(name);
  if (dialect != nullptr) return dialect;
  return absl::InvalidArgumentError(absl::StrCat(
      "--dialect: expected one of ",
      absl::StrJoin(Dialects(), ", ",
                    [](std::string* out, const Dialect& known) {
                      absl::StrAppend(out, std::string(known.name));
                    }),
      ", found \"", Excerpt(name), "\""));
}

absl::Status ReadDocuments(Input* input, const DocumentVisitor& visit) {
  std::string line;
  std::int64_t line_number = 0;
  TOKENUSAGE_RETURN_IF_ERROR(ReadFirstLine(input, &line, &line_number));
  return ReadDocumentsFrom(std::move(line), line_number, input, visit);
}

absl::Status ReadResponses(
    const Dialect& dialect, Input* input,
    const std::function<absl::Status(const Response& response)>& visit) {
  std::string line;
  std::int64_t line_number = 0;
  TOKENUSAGE_RETURN_IF_ERROR(ReadFirstLine(input, &line, &line_number));
  if (IsOfEvents(line) || (dialect.streams_lines && IsWholeObject(line))) {
    return visit({0, ReadStream(dialect, std::move(line), input)});
  }
  return ReadDocumentsFrom(
      std::move(line), line_number, input,
      [&](const std::string& json, std::int64_t number) {
        return visit({number, UsageExtractor(dialect).Extract(json)});
      });
}

std::string PlaceInInput(const Input& input, std::int64_t line_number) {
  return line_number == 0 ? input.name()
                          : absl::StrCat(input.name(), ":", line_number);
}

}  // namespace tokenusage
