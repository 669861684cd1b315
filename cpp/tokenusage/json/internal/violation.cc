// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/json/internal/violation.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "tokenusage/base/excerpt.h"
#include "tokenusage/base/utf8.h"

namespace tokenusage {
namespace json_internal {
namespace {

// The number of characters of the input that an error may still quote.
class Quota {
 public:
  // Returns an excerpt that fits, and deducts its characters.
  std::string Take(std::string_view input) {
    std::string excerpt = Excerpt(input, chars_left_);
    chars_left_ -= CountChars(input, chars_left_);
    return excerpt;
  }

 private:
  static std::size_t CountChars(std::string_view text, std::size_t limit) {
    std::size_t count = 0;
    for (; count < limit && !text.empty(); ++count) {
      text.remove_prefix(std::max<std::size_t>(Utf8CharLength(text), 1));
    }
    return count;
  }

  std::size_t chars_left_ = kExcerptMaxChars;
};

void AppendStep(const PathStep& step, Quota* quota, std::string* path) {
  switch (step.kind) {
    case PathStep::Kind::kField:
      if (!path->empty()) *path += '.';
      // In full: it is the schema's name, not the input's.
      *path += Excerpt(step.text, step.text.size());
      return;
    case PathStep::Kind::kIndex:
      absl::StrAppend(path, "[", step.index, "]");
      return;
    case PathStep::Kind::kKey:
      absl::StrAppend(path, "[\"", quota->Take(step.text), "\"]");
      return;
  }
}

void SetPlace(std::string_view document, std::size_t offset, JsonError* error) {
  const std::string_view before = document.substr(0, offset);
  const std::size_t line_feed = before.rfind('\n');
  error->line = 1 + static_cast<std::size_t>(
                        std::count(before.begin(), before.end(), '\n'));
  error->column =
      line_feed == std::string_view::npos ? offset + 1 : offset - line_feed;
  error->byte_offset = offset;
}

}  // namespace

PathStep PathStep::Field(std::string_view name) {
  return {Kind::kField, 0, std::string(name)};
}

PathStep PathStep::Index(std::size_t index) {
  return {Kind::kIndex, index, std::string()};
}

PathStep PathStep::Key(std::string_view key) {
  return {Kind::kKey, 0, std::string(key)};
}

JsonError DescribeWriteViolation(const Violation& violation) {
  JsonError error;
  Quota quota;
  error.kind = violation.kind;
  for (auto step = violation.path.rbegin(); step != violation.path.rend();
       ++step) {
    AppendStep(*step, &quota, &error.field_path);
  }
  error.expected = violation.expected;
  error.found = violation.found;
  if (violation.input_kind != Violation::Input::kNone) {
    const char* quote =
        violation.input_kind == Violation::Input::kQuoted ? "\"" : "";
    absl::StrAppend(&error.found, " ", quote, quota.Take(violation.input),
                    quote);
  }
  return error;
}

JsonError DescribeReadViolation(const Violation& violation,
                                std::string_view document) {
  JsonError error = DescribeWriteViolation(violation);
  SetPlace(document, violation.offset, &error);
  return error;
}

}  // namespace json_internal
}  // namespace tokenusage
