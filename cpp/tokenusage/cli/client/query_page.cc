// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/cli/client/query_page.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/cli/client/query_table.h"
#include "tokenusage/json/json.h"
#include "tokenusage/page/page.h"

namespace tokenusage {

absl::StatusOr<std::string> FormatQueryPage(
    const v1::QueryUsageRequest& request, const QueryAnswer& answer) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::string request_json,
                              WriteJson(request));
  std::vector<std::string> rows;
  std::int64_t shown = 0;
  for (const QueryRow& row : answer.rows) {
    TOKENUSAGE_ASSIGN_OR_RETURN(std::string json, WriteJson(row.row));
    rows.push_back(std::move(json));
    shown += row.sum.record_count;
  }
  const std::string now =
      absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::Now(), absl::UTCTimeZone());
  PageAnswer page;
  page.json =
      absl::StrCat("{\"query_time\":\"", now, "\",\"is_complete\":",
                   shown == answer.total.record_count ? "true" : "false",
                   ",\"request\":", request_json, ",\"rows\":[\n",
                   absl::StrJoin(rows, ",\n"), "]}");
  page.caption = absl::StrCat("Project ", request.project(), ", ",
                              QueryTableCaption(answer), "; as of ", now);
  page.table = QueryTableCells(answer);
  page.first_number_column =
      answer.group_by.size() + (answer.bucket == v1::TIME_BUCKET_NONE ? 0 : 1);
  return PageHtmlWithAnswer(page);
}

}  // namespace tokenusage
