// SPDX-License-Identifier: Apache-2.0

// Writes results to stdout and messages to stderr.

#ifndef TOKENUSAGE_CLI_TERMINAL_H_
#define TOKENUSAGE_CLI_TERMINAL_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace tokenusage {

// Writes one line to stderr: "tokenusage: MESSAGE". Control characters and
// bytes that are not UTF-8 are escaped: a damaged file may hold them.
// Thread-safe.
void PrintError(std::string_view message);
void PrintError(const absl::Status& status);

// Writes `data` to stdout unchanged. Thread-safe.
void PrintData(std::string_view data);

// Flushes stdout. Returns false if it is pointless to print more: the disk is
// full, or the reader has left.
bool FlushData();

// Returns UNAVAILABLE if data could not be written to stdout. A reader that has
// seen enough and left, such as `head`, is not an error.
absl::Status DataError();

// Formats rows of cells as lines of aligned columns. The first row is the
// heading. Columns from `first_number_column` on hold decimals, aligned at the
// point; text may follow a decimal after a space.
std::string FormatTable(const std::vector<std::vector<std::string>>& rows,
                        std::size_t first_number_column);

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLI_TERMINAL_H_
