// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/cli/terminal.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>

#include "tokenusage/base/excerpt.h"
#include "tokenusage/base/utf8.h"

namespace tokenusage {
namespace {

// How many characters a terminal shows, for text without wide characters.
std::size_t DisplayWidth(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    text.remove_prefix(std::max<std::size_t>(1, Utf8CharLength(text)));
    ++width;
  }
  return width;
}

// The characters from a decimal's point on.
std::size_t FractionWidth(const std::string& decimal) {
  const std::size_t point = decimal.find('.');
  return point == std::string::npos ? 0 : decimal.size() - point;
}

// Adds blanks behind the decimals of each column, the heading left out, so that
// their points come to stand below each other once they are aligned to the
// right.
void AlignPoints(std::size_t first_number_column,
                 std::vector<std::vector<std::string>>* rows) {
  std::vector<std::size_t> widths;
  for (std::size_t r = 1; r < rows->size(); ++r) {
    const auto& row = (*rows)[r];
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = first_number_column; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], FractionWidth(row[i]));
    }
  }
  for (std::size_t r = 1; r < rows->size(); ++r) {
    auto& row = (*rows)[r];
    for (std::size_t i = first_number_column; i < row.size(); ++i) {
      row[i].append(widths[i] - FractionWidth(row[i]), ' ');
    }
  }
}

}  // namespace

void PrintError(std::string_view message) {
  // In one call, so that lines of several threads stay whole.
  const std::string line =
      "tokenusage: " + Excerpt(message, /*max_chars=*/SIZE_MAX) + "\n";
  std::fwrite(line.data(), 1, line.size(), stderr);
}

void PrintData(std::string_view data) {
  std::fwrite(data.data(), 1, data.size(), stdout);
}

absl::Status FlushData() {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) {
    return absl::OkStatus();
  }
  return absl::UnavailableError("standard output: not all data was written");
}

std::string FormatTable(const std::vector<std::vector<std::string>>& rows,
                        std::size_t first_number_column) {
  std::vector<std::vector<std::string>> cells = rows;
  AlignPoints(first_number_column, &cells);
  std::vector<std::size_t> widths;
  for (const auto& row : cells) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], DisplayWidth(row[i]));
    }
  }
  std::string out;
  for (const auto& row : cells) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string padding(widths[i] - DisplayWidth(row[i]), ' ');
      if (i > 0) line += "  ";
      line += i < first_number_column ? row[i] + padding : padding + row[i];
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

}  // namespace tokenusage
