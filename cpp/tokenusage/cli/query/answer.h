// SPDX-License-Identifier: Apache-2.0

// The answer to `tokenusage query`, and its formats.

#ifndef TOKENUSAGE_CLI_QUERY_ANSWER_H_
#define TOKENUSAGE_CLI_QUERY_ANSWER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tokenusage/cli/client/window_flags.h"
#include "tokenusage/record/usage_sum.h"
#include "tokenusage/v1/usage_reporting_service.pb.h"

namespace tokenusage {

struct QueryRow {
  v1::UsageRow row;
  UsageSum sum;  // of row.totals

  // The total named by `order_by` of the same group in the window before; empty
  // if no record states it there.
  std::optional<Amount> total_before;
};

struct QueryAnswer {
  ZonedWindow window;
  std::optional<ZonedWindow> window_before;  // if the two are compared
  v1::TimeBucket bucket = v1::TIME_BUCKET_NONE;
  std::vector<std::string> group_by;
  std::string order_by;  // record_count, a measure, or empty
  std::int64_t top = 0;  // the maximum number of rows; 0: all

  std::vector<QueryRow> rows;

  // Of all rows, including those that `top` cuts off.
  UsageSum total;
  std::optional<Amount> total_before;
};

// Converts the totals of a row. Errors: UNKNOWN if a total is not a decimal.
absl::StatusOr<UsageSum> SumOf(const v1::UsageTotals& totals);

// Returns the total of this name: record_count or a measure. Empty if no record
// states it.
std::optional<Amount> TotalNamed(const std::string& name, const UsageSum& sum);

// Returns one row as a JSON object, without a trailing line feed. `row` need
// not be in `answer.rows`.
absl::StatusOr<std::string> FormatQueryJson(const QueryAnswer& answer,
                                            const QueryRow& row);

// Returns all rows as CSV (see csv.h), with a heading: the times, the group,
// the numbers of records and, for each measure that occurs, its total and the
// number of records that state it; last, if two windows are compared, the total
// of the window before.
std::string FormatQueryCsv(const QueryAnswer& answer);

// The rows as cells, with the columns that any row has a value for. If there is
// more than one row, or `top` has cut some off, the last one is the total.
struct QueryTable {
  std::string caption;                          // names the window and its zone
  std::vector<std::vector<std::string>> cells;  // the first row is the heading
  std::size_t first_number_column = 0;
};
QueryTable QueryTableOf(const QueryAnswer& answer);

// Returns the page that `tokenusage query --html` writes, with the request and
// the rows of its answer.
absl::StatusOr<std::string> FormatQueryPage(
    const v1::QueryUsageRequest& request, const QueryAnswer& answer);

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLI_QUERY_ANSWER_H_
