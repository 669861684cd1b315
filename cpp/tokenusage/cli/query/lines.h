// SPDX-License-Identifier: Apache-2.0

// The output of `tokenusage query` for programs: JSON Lines and CSV.

#ifndef TOKENUSAGE_CLI_QUERY_LINES_H_
#define TOKENUSAGE_CLI_QUERY_LINES_H_

#include <string>

#include "absl/status/statusor.h"
#include "tokenusage/cli/query/answer.h"

namespace tokenusage {

// Returns one row as a JSON object, without a line's end. `answer` need not
// hold the row.
absl::StatusOr<std::string> FormatQueryJson(const QueryAnswer& answer,
                                            const QueryRow& row);

// Returns all rows as CSV (see csv.h), with a heading: the times, the group,
// the numbers of records and, for each measure that occurs, its total and the
// number of records that state it.
std::string FormatQueryCsv(const QueryAnswer& answer);

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLI_QUERY_LINES_H_
