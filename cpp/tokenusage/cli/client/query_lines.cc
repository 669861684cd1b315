// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/cli/client/query_lines.h"

#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/cli/times.h"
#include "tokenusage/json/internal/quoted.h"
#include "tokenusage/json/json.h"

namespace tokenusage {
namespace {

std::string FormatInstant(const ::google::protobuf::Timestamp& time,
                          absl::TimeZone zone) {
  return absl::FormatTime(zone == absl::UTCTimeZone()
                              ? "%Y-%m-%dT%H:%M:%E*SZ"
                              : "%Y-%m-%dT%H:%M:%E*S%Ez",
                          ToTime(time), zone);
}

void AppendMember(std::string_view name, std::string_view value,
                  std::string* json) {
  if (json->back() != '{') json->push_back(',');
  json_internal::AppendQuoted(name, json);
  json->push_back(':');
  json_internal::AppendQuoted(value, json);
}

// Returns a value of CSV, quoted if it must be.
std::string CsvValue(const std::string& value) {
  if (!value.empty() && value.find_first_of(",\"\r\n") == std::string::npos) {
    return value;
  }
  return absl::StrCat("\"", absl::StrReplaceAll(value, {{"\"", "\"\""}}), "\"");
}

// The columns before the measures.
std::vector<std::string> CsvHeading(const QueryAnswer& answer) {
  std::vector<std::string> heading = {"bucket_start_time", "bucket_end_time",
                                      "bucket_start_local", "bucket_end_local",
                                      "time_zone"};
  heading.insert(heading.end(), answer.group_by.begin(), answer.group_by.end());
  heading.insert(heading.end(), {"record_count", "inconsistent_record_count",
                                 "unknown_usage_record_count"});
  return heading;
}

std::vector<std::string> CsvStart(const QueryAnswer& answer,
                                  const QueryRow& row) {
  std::vector<std::string> cells;
  for (const absl::TimeZone zone : {absl::UTCTimeZone(), answer.window.zone}) {
    cells.push_back(FormatInstant(row.row.bucket_start_time(), zone));
    cells.push_back(FormatInstant(row.row.bucket_end_time(), zone));
  }
  cells.push_back(answer.window.zone_name);
  for (const v1::GroupValue& value : row.row.group()) {
    cells.push_back(value.has_value() ? CsvValue(value.value()) : "");
  }
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
  AppendMember("bucket_start_local",
               FormatInstant(row.row.bucket_start_time(), zone), &json);
  AppendMember("bucket_end_local",
               FormatInstant(row.row.bucket_end_time(), zone), &json);
  AppendMember("time_zone", answer.window.zone_name, &json);
  std::string group = "{";
  for (const v1::GroupValue& value : row.row.group()) {
    if (value.has_value()) {
      AppendMember(value.field(), value.value(), &group);
      continue;
    }
    if (group.back() != '{') group.push_back(',');
    json_internal::AppendQuoted(value.field(), &group);
    group += ":null";
  }
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::string totals,
                              WriteJson(row.row.totals()));
  absl::StrAppend(&json, ",\"group\":", group, "},\"totals\":", totals);
  if (answer.window_before) {
    absl::StrAppend(&json, ",\"", answer.by, "_before\":",
                    row.before
                        ? absl::StrCat("\"", row.before->ToDecimal(), "\"")
                        : "null");
  }
  return json + "}";
}

std::string FormatQueryCsv(const QueryAnswer& answer) {
  MeasureSet measures;
  for (const QueryRow& row : answer.rows) {
    row.sum.measures().ForEach(
        [&measures](v1::UsageMeasure measure) { measures.Add(measure); });
  }
  std::vector<std::string> heading = CsvHeading(answer);
  measures.ForEach([&heading](v1::UsageMeasure measure) {
    const std::string name(MeasureName(measure));
    heading.push_back(name);
    heading.push_back(name + "_record_count");
  });
  if (answer.window_before) heading.push_back(answer.by + "_before");
  std::string csv = absl::StrJoin(heading, ",") + "\n";
  for (const QueryRow& row : answer.rows) {
    std::vector<std::string> cells = CsvStart(answer, row);
    measures.ForEach([&](v1::UsageMeasure measure) {
      const MeasureSum* const total = row.sum.Find(measure);
      cells.push_back(total != nullptr ? total->amount.ToDecimal() : "");
      cells.push_back(absl::StrCat(total != nullptr ? total->record_count : 0));
    });
    if (answer.window_before) {
      cells.push_back(row.before ? row.before->ToDecimal() : "");
    }
    absl::StrAppend(&csv, absl::StrJoin(cells, ","), "\n");
  }
  return csv;
}

}  // namespace tokenusage
