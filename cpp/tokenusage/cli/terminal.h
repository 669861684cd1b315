// SPDX-License-Identifier: Apache-2.0

// Where the program's words and data go: words to stderr, data to stdout.

#ifndef TOKENUSAGE_CLI_TERMINAL_H_
#define TOKENUSAGE_CLI_TERMINAL_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace tokenusage {

// Writes one line to stderr: "tokenusage: MESSAGE". Control characters and
// bytes that are not UTF-8, as a damaged file may hold, come out escaped.
// Thread-safe.
void PrintError(std::string_view message);

// Writes `data` to stdout as it is. Thread-safe.
void PrintData(std::string_view data);

// Flushes stdout; UNAVAILABLE where not all data could be written, as to a full
// disk.
absl::Status FlushData();

// Rows of cells as lines of aligned columns. The first row is the heading.
// Columns from `first_number_column` on hold decimals, aligned at the point.
std::string FormatTable(const std::vector<std::vector<std::string>>& rows,
                        std::size_t first_number_column);

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLI_TERMINAL_H_
