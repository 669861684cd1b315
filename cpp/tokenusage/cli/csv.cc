// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/cli/csv.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "tokenusage/base/status_macros.h"

namespace tokenusage {
namespace {

constexpr char kGuard = '\'';
constexpr std::string_view kGuarded = "=+-@\t\r'";
constexpr std::string_view kQuoted = "\",\n\r";

void AppendField(const std::string& text, std::string* line) {
  const bool is_guarded =
      !text.empty() && kGuarded.find(text[0]) != std::string_view::npos;
  const std::string guarded = is_guarded ? kGuard + text : text;
  if (!text.empty() && text.find_first_of(kQuoted) == std::string::npos) {
    *line += guarded;
    return;
  }
  *line += '"';
  for (const char c : guarded) {
    if (c == '"') *line += '"';
    *line += c;
  }
  *line += '"';
}

}  // namespace

std::string CsvLine(const std::vector<CsvField>& fields) {
  std::string line;
  for (const CsvField& field : fields) {
    if (&field != &fields.front()) line += ',';
    if (field) AppendField(*field, &line);
  }
  line += '\n';
  return line;
}

absl::StatusOr<bool> CsvReader::Next(std::vector<CsvField>* fields) {
  fields->clear();
  if (rest_.empty()) return false;
  while (true) {
    TOKENUSAGE_ASSIGN_OR_RETURN(CsvField field, ReadField());
    fields->push_back(std::move(field));
    if (rest_.empty()) {
      return absl::InvalidArgumentError("expected a line feed at the end");
    }
    const char separator = rest_.front();
    rest_.remove_prefix(1);
    if (separator == '\n') return true;
  }
}

// Reads a field, up to the comma or line feed after it.
absl::StatusOr<CsvField> CsvReader::ReadField() {
  const bool is_quoted = !rest_.empty() && rest_.front() == '"';
  std::string text;
  if (is_quoted) {
    TOKENUSAGE_RETURN_IF_ERROR(ReadQuoted(&text));
  } else {
    const std::size_t end =
        std::min(rest_.find_first_of(kQuoted), rest_.size());
    text = rest_.substr(0, end);
    rest_.remove_prefix(end);
  }
  if (!rest_.empty() && rest_.front() != ',' && rest_.front() != '\n') {
    return absl::InvalidArgumentError("expected a comma or a line feed");
  }
  if (text.empty() && !is_quoted) return CsvField();
  if (!text.empty() && text.front() == kGuard) text.erase(0, 1);
  return CsvField(std::move(text));
}

// Reads a text and the quotes around it. Two quotes within it stand for one.
absl::Status CsvReader::ReadQuoted(std::string* text) {
  while (true) {
    rest_.remove_prefix(1);
    const std::size_t end = rest_.find('"');
    if (end == std::string_view::npos) {
      return absl::InvalidArgumentError("expected a closing quote");
    }
    *text += rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    if (rest_.empty() || rest_.front() != '"') return absl::OkStatus();
    *text += '"';
  }
}

}  // namespace tokenusage
