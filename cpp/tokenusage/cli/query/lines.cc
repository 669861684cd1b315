// SPDX-License-Identifier: Apache-2.0

#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tokenusage/base/json_string.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/cli/client/group_flags.h"
#include "tokenusage/cli/csv.h"
#include "tokenusage/cli/query/answer.h"
#include "tokenusage/cli/times.h"
#include "tokenusage/json/json.h"
#include "tokenusage/record/usage_totals.h"

namespace tokenusage {
namespace {

// Returns the names of the columns before the measures.
std::vector<CsvField> CsvHeading(const QueryAnswer& answer) {
  std::vector<CsvField> heading = {"bucket_start_time", "bucket_end_time",
                                   "bucket_start_local", "bucket_end_local",
                                   "time_zone"};
  heading.insert(heading.end(), answer.group_by.begin(), answer.group_by.end());
  heading.insert(heading.end(), {"record_count", "inconsistent_record_count",
                                 "unknown_usage_record_count"});
  return heading;
}

std::vector<CsvField> CsvStart(const QueryAnswer& answer, const QueryRow& row) {
  std::vector<CsvField> cells;
  for (const absl::TimeZone zone : {absl::UTCTimeZone(), answer.window.zone}) {
    cells.push_back(FormatInstant(row.row.bucket_start_time(), zone));
    cells.push_back(FormatInstant(row.row.bucket_end_time(), zone));
  }
  cells.push_back(answer.window.zone_name);
  const GroupValues group = GroupOf(row.row);
  cells.insert(cells.end(), group.begin(), group.end());
  for (const std::int64_t count :
       {row.sum.record_count, row.sum.inconsistent_record_count,
        row.sum.unknown_usage_record_count}) {
    cells.push_back(absl::StrCat(count));
  }
  return cells;
}

}  // namespace

absl::StatusOr<std::string> FormatQueryJson(const QueryAnswer& answer,
                                            const QueryRow& row) {
  v1::UsageRow times;
  *times.mutable_bucket_start_time() = row.row.bucket_start_time();
  *times.mutable_bucket_end_time() = row.row.bucket_end_time();
  TOKENUSAGE_ASSIGN_OR_RETURN(std::string json, WriteJson(times));
  json.pop_back();  // the brace, which follows the last member
  const absl::TimeZone zone = answer.window.zone;
  AppendJsonMember("bucket_start_local",
                   FormatInstant(row.row.bucket_start_time(), zone), &json);
  AppendJsonMember("bucket_end_local",
                   FormatInstant(row.row.bucket_end_time(), zone), &json);
  AppendJsonMember("time_zone", answer.window.zone_name, &json);
  std::string group = "{";
  for (const v1::GroupValue& value : row.row.group()) {
    if (value.has_value()) {
      AppendJsonMember(value.field(), value.value(), &group);
      continue;
    }
    if (group.back() != '{') group.push_back(',');
    AppendJsonString(value.field(), &group);
    group += ":null";
  }
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::string totals,
                              WriteJson(row.row.totals()));
  absl::StrAppend(&json, ",\"group\":", group, "},\"totals\":", totals);
  if (answer.window_before) {
    absl::StrAppend(
        &json, ",\"", answer.order_by, "_before\":",
        row.total_before
            ? absl::StrCat("\"", row.total_before->ToDecimal(), "\"")
            : "null");
  }
  return json + "}";
}

std::string FormatQueryCsv(const QueryAnswer& answer) {
  MeasureSet measures;
  for (const QueryRow& row : answer.rows) measures.Add(row.sum.measures());
  std::vector<CsvField> heading = CsvHeading(answer);
  measures.ForEach([&heading](v1::UsageMeasure measure) {
    const std::string name = NameOf(measure);
    heading.push_back(name);
    heading.push_back(name + "_record_count");
  });
  if (answer.window_before) heading.push_back(answer.order_by + "_before");
  std::string csv = CsvLine(heading);
  for (const QueryRow& row : answer.rows) {
    std::vector<CsvField> cells = CsvStart(answer, row);
    measures.ForEach([&](v1::UsageMeasure measure) {
      const MeasureSum* const total = row.sum.Find(measure);
      total != nullptr ? cells.emplace_back(total->amount.ToDecimal())
                       : cells.emplace_back();
      cells.push_back(absl::StrCat(total != nullptr ? total->record_count : 0));
    });
    if (answer.window_before) {
      row.total_before ? cells.emplace_back(row.total_before->ToDecimal())
                       : cells.emplace_back();
    }
    csv += CsvLine(cells);
  }
  return csv;
}

}  // namespace tokenusage
