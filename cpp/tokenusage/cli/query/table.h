// SPDX-License-Identifier: Apache-2.0

// The table that `tokenusage query` prints.

#ifndef TOKENUSAGE_CLI_QUERY_TABLE_H_
#define TOKENUSAGE_CLI_QUERY_TABLE_H_

#include <string>
#include <vector>

#include "tokenusage/cli/query/answer.h"

namespace tokenusage {

// Returns the rows, with the columns that any row has a value for, below a line
// that names the window and its zone. If there are several rows, or only the
// largest of them, the last line is their total.
std::string FormatQueryTable(const QueryAnswer& answer);

// Returns the line that names the window and its zone, without a line feed.
std::string QueryTableCaption(const QueryAnswer& answer);

// Returns the cells of the heading and of the lines below it.
std::vector<std::vector<std::string>> QueryTableCells(
    const QueryAnswer& answer);

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLI_QUERY_TABLE_H_
