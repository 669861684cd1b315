// SPDX-License-Identifier: Apache-2.0

// The answer to `tokenusage query`, for each of its formats.

#ifndef TOKENUSAGE_CLI_QUERY_ANSWER_H_
#define TOKENUSAGE_CLI_QUERY_ANSWER_H_

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

  // The total that the query is by, of the same group in the window before;
  // empty if no record states it there.
  std::optional<Amount> before;
};

struct QueryAnswer {
  ZonedWindow window;
  std::optional<ZonedWindow> window_before;  // if the two are compared
  v1::TimeBucket bucket = v1::TIME_BUCKET_NONE;
  std::vector<std::string> group_by;
  std::string by;        // record_count, a measure, or empty
  std::int64_t top = 0;  // the most rows; 0: all

  std::vector<QueryRow> rows;

  // Of all rows, also those that are not among the largest.
  UsageSum total;
  std::optional<Amount> total_before;
};

// Converts the totals of a row. Errors: UNKNOWN if a total is not a decimal.
absl::StatusOr<UsageSum> SumOf(const v1::UsageTotals& totals);

// Returns the total of this name: record_count or a measure. Empty if no record
// states it.
std::optional<Amount> TotalBy(const std::string& by, const UsageSum& sum);

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLI_QUERY_ANSWER_H_
