// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/cli/terminal.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>

#include "tokenusage/base/excerpt.h"
#include "tokenusage/base/string_view.h"
#include "tokenusage/base/utf8.h"

namespace tokenusage {
namespace {

// The errno of the last write to stdout that failed.
std::atomic<int> data_errno{0};

// Returns the number of columns that text without wide characters takes on a
// terminal.
std::size_t DisplayWidth(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    text.remove_prefix(std::max<std::size_t>(1, Utf8CharLength(text)));
    ++width;
  }
  return width;
}

// Returns the length of a decimal from its point on, or from what follows the
// number.
std::size_t FractionWidth(const std::string& decimal) {
  const std::size_t point = decimal.find_first_of(". ");
  return point == std::string::npos ? 0 : decimal.size() - point;
}

// Pads the decimals of each column, except its heading, so that their points
// line up once the column is aligned to the right.
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
  // One call, so that lines of several threads do not mix.
  const std::string line =
      "tokenusage: " + Excerpt(message, /*max_chars=*/SIZE_MAX) + "\n";
  std::fwrite(line.data(), 1, line.size(), stderr);
}

void PrintError(const absl::Status& status) {
  PrintError(FromAbsl(status.message()));
}

void PrintData(std::string_view data) {
  if (std::fwrite(data.data(), 1, data.size(), stdout) < data.size()) {
    data_errno = errno;
  }
}

bool FlushData() {
  if (std::fflush(stdout) != 0) data_errno = errno;
  return data_errno == 0;
}

absl::Status DataError() {
  if (data_errno == 0 || data_errno == EPIPE) return absl::OkStatus();
  return absl::UnavailableError(
      std::string("standard output: not all data was written: ") +
      std::strerror(data_errno));
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
