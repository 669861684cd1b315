// SPDX-License-Identifier: Apache-2.0

#include "tests/json/fuzz/error_check.h"

#include <algorithm>
#include <cstddef>
#include <optional>

#include "tests/json/fuzz/document.h"
#include "tests/support/fuzzing/fuzz_target.h"

namespace tokenusage {
namespace testing {
namespace {

// Returns whether `text` is UTF-8 without control characters. Checks it as the
// content of a JSON string, in which quotes and backslashes must be replaced.
bool IsPrintable(std::string text) {
  std::replace(text.begin(), text.end(), '"', '\'');
  std::replace(text.begin(), text.end(), '\\', '/');
  if (ReadDocument("\"" + text + "\"").syntax_error.has_value()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\x7F') return false;
    // U+0080 to U+009F are control characters, too.
    if (text[i] == '\xC2' && i + 1 < text.size() &&
        static_cast<unsigned char>(text[i + 1]) < 0xA0) {
      return false;
    }
  }
  return true;
}

bool IsHex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

// Returns the size in bytes of the first character of `text`. An escape counts
// as one character; a backslash that starts no escape stands for itself.
std::size_t CharacterSize(std::string_view text) {
  const auto is_escape = [text](char letter, std::size_t digits) {
    if (text.size() < 2 + digits || text[1] != letter) return false;
    return std::all_of(text.begin() + 2,
                       text.begin() + 2 + static_cast<std::ptrdiff_t>(digits),
                       IsHex);
  };
  if (text[0] == '\\') {
    if (is_escape('x', 2)) return 4;
    if (is_escape('u', 4)) return 6;
    const bool is_short =
        text.size() > 1 && (text[1] == 'n' || text[1] == 'r' || text[1] == 't');
    return is_short ? 2 : 1;
  }
  std::size_t size = 1;
  while (size < text.size() &&
         (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) {
    ++size;
  }
  return size;
}

std::size_t CountCharacters(std::string_view text) {
  std::size_t count = 0;
  while (!text.empty()) {
    text.remove_prefix(CharacterSize(text));
    ++count;
  }
  return count;
}

// Returns whether `found` repeats more than 40 characters of the input. Allows
// five more for quotes and dots, or 40 more for words that are not listed here.
bool RepeatsTooMuch(std::string_view found) {
  constexpr std::size_t kMax = 40;
  constexpr std::size_t kQuotesAndDots = 5;
  for (const std::string_view words : {"string ", "name again ", "name "}) {
    if (found.substr(0, words.size()) == words) {
      return CountCharacters(found.substr(words.size())) >
             kMax + kQuotesAndDots;
    }
  }
  return CountCharacters(found) > kMax + 40;
}

JsonError CheckedError(const absl::Status& status) {
  if (status.code() != absl::StatusCode::kInvalidArgument) {
    FuzzFail("an error of another code: " + status.ToString());
  }
  const std::optional<JsonError> error = GetJsonError(status);
  if (!error.has_value()) FuzzFail("no JsonError: " + status.ToString());
  const std::string text(status.message());
  if (!IsPrintable(text)) FuzzFail("an error not of one line: " + text);
  for (const std::string& part :
       {error->field_path, error->expected, error->found}) {
    if (text.find(part) == std::string::npos) {
      FuzzFail("an error without its part " + part + ": " + text);
    }
  }
  if (error->expected.empty() || error->found.empty()) {
    FuzzFail("an error without what it is: " + text);
  }
  if (RepeatsTooMuch(error->found)) {
    FuzzFail("an error that repeats too much: " + text);
  }
  return *error;
}

}  // namespace

JsonError CheckedReadError(const absl::Status& status, std::string_view json) {
  JsonError error = CheckedError(status);
  const std::size_t offset = error.byte_offset;
  if (offset > json.size()) FuzzFail("an error behind the document");
  const std::string_view before = json.substr(0, offset);
  const auto line =
      static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
  const std::size_t line_feed = before.rfind('\n');
  const std::size_t column =
      line_feed == std::string_view::npos ? offset : offset - line_feed - 1;
  if (error.line != line + 1 || error.column != column + 1) {
    FuzzFail("not the line and column of " + std::to_string(offset) + ": " +
             std::string(status.message()));
  }
  const std::string place = "(line " + std::to_string(error.line) +
                            ", column " + std::to_string(error.column) + ")";
  if (status.message().find(place) == absl::string_view::npos) {
    FuzzFail("an error without its place: " + std::string(status.message()));
  }
  return error;
}

JsonError CheckedWriteError(const absl::Status& status) {
  JsonError error = CheckedError(status);
  if (error.line != 0 || error.column != 0 || error.byte_offset != 0) {
    FuzzFail("an error of writing with a place: " + status.ToString());
  }
  return error;
}

}  // namespace testing
}  // namespace tokenusage
