// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/page/page.h"

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/cli/query/answer.h"
#include "tokenusage/json/json.h"
#include "tokenusage/record/usage_totals.h"

namespace tokenusage {
namespace {

// Returns a row with the member `before`, if there is such a total.
absl::StatusOr<std::string> RowJson(const v1::UsageRow& row,
                                    std::optional<Amount> before) {
  TOKENUSAGE_ASSIGN_OR_RETURN(std::string json, WriteJson(row));
  if (!before) return json;
  json.pop_back();  // the brace, which follows the totals
  return absl::StrCat(json, ",\"before\":\"", before->ToDecimal(), "\"}");
}

// Returns the member with the window before, or nothing if there is none.
absl::StatusOr<std::string> BeforeJson(const QueryAnswer& answer) {
  if (!answer.window_before) return "";
  v1::QueryUsageRequest request;
  SetWindow(*answer.window_before, &request);
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::string json, WriteJson(request));
  return absl::StrCat(",\"before\":", json);
}

}  // namespace

absl::StatusOr<std::string> FormatQueryPage(
    const v1::QueryUsageRequest& request, const QueryAnswer& answer) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::string request_json,
                              WriteJson(request));
  v1::UsageRow whole;
  *whole.mutable_totals() = ToUsageTotals(answer.total);
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::string total,
                              RowJson(whole, answer.total_before));
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::string before, BeforeJson(answer));
  std::vector<std::string> rows;
  std::int64_t shown = 0;
  for (const QueryRow& row : answer.rows) {
    TOKENUSAGE_ASSIGN_OR_RETURN(std::string json,
                                RowJson(row.row, row.total_before));
    rows.push_back(std::move(json));
    shown += row.sum.record_count;
  }
  const std::string now =
      absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::Now(), absl::UTCTimeZone());
  PageAnswer page;
  page.json = absl::StrCat(
      "{\"query_time\":\"", now, "\",\"is_complete\":",
      shown == answer.total.record_count ? "true" : "false",
      ",\"request\":", request_json, ",\"top\":", answer.top, before,
      ",\"total\":", total, ",\"rows\":[\n", absl::StrJoin(rows, ",\n"), "]}");
  QueryTable table = QueryTableOf(answer);
  page.caption = absl::StrCat(request.project() == "-"
                                  ? "All projects"
                                  : absl::StrCat("Project ", request.project()),
                              ", ", table.caption, "; as of ", now);
  page.table = std::move(table.cells);
  page.first_number_column = table.first_number_column;
  return PageHtmlWithAnswer(page);
}

}  // namespace tokenusage
