// SPDX-License-Identifier: Apache-2.0

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tokenusage/base/excerpt.h"
#include "tokenusage/base/file.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/cli/client/client.h"
#include "tokenusage/cli/client/service_flags.h"
#include "tokenusage/cli/client/window_flags.h"
#include "tokenusage/cli/commands.h"
#include "tokenusage/cli/exit_code.h"
#include "tokenusage/cli/terminal.h"
#include "tokenusage/cli/times.h"
#include "tokenusage/json/json.h"
#include "tokenusage/page/page.h"

namespace tokenusage {
namespace {

constexpr char kFooter[] = R"(
A field is operation, provider, model or labels.KEY. The table has a column for each
measure that a record of the answer states. In it, - is a measure that no record of the
row states, 120 (3 of 4) one that 3 of its 4 records state, and <none> a missing label;
--json is unambiguous. Totals are exact decimals. Weeks are those of ISO 8601, such as
2026-W45. --html writes a page that shows the same in a browser, with a chart, and can be
sent as it is.

Examples:
  tokenusage query --project=demo
  tokenusage query --project=demo --bucket=day --group-by=model,operation
  tokenusage query --project=demo --start=2026-11-01 --end=2026-12-01 \
    --time-zone=Europe/Berlin --bucket=day --filter=model=gpt-image-1
  tokenusage query --project=demo --group-by=labels.team --json
  tokenusage query --project=demo --bucket=day --group-by=model --html=usage.html)";

struct QueryFlags {
  ServiceFlags service;
  WindowFlags window;
  std::string bucket = "none";
  std::string group_by;
  std::vector<std::string> filters;
  std::vector<std::string> missing;
  bool json = false;
  std::string html;
};

const std::map<std::string, v1::TimeBucket>& BucketNames() {
  static const auto* const kNames = new std::map<std::string, v1::TimeBucket>{
      {"none", v1::TIME_BUCKET_NONE}, {"minute", v1::TIME_BUCKET_MINUTE},
      {"hour", v1::TIME_BUCKET_HOUR}, {"day", v1::TIME_BUCKET_DAY},
      {"week", v1::TIME_BUCKET_WEEK}, {"month", v1::TIME_BUCKET_MONTH}};
  return *kNames;
}

// Merges the filters on one field into one filter with several values.
absl::Status AddFilters(const QueryFlags& flags,
                        v1::QueryUsageRequest* request) {
  std::map<std::string, v1::UsageFilter> by_field;
  for (const std::string& filter : flags.filters) {
    const std::size_t equals = filter.find('=');
    if (equals == std::string::npos) {
      return absl::InvalidArgumentError(absl::StrCat(
          "--filter: expected FIELD=VALUE, found \"", Excerpt(filter), "\""));
    }
    by_field[filter.substr(0, equals)].add_values(filter.substr(equals + 1));
  }
  for (const std::string& field : flags.missing) {
    by_field[field].set_match_missing(true);
  }
  for (auto& [field, filter] : by_field) {
    filter.set_field(field);
    *request->add_filters() = std::move(filter);
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::QueryUsageRequest> RequestFromFlags(QueryFlags* flags) {
  v1::QueryUsageRequest request;
  request.set_project(flags->service.project);
  TOKENUSAGE_RETURN_IF_ERROR(ParseWindow(&flags->window,
                                         request.mutable_start_time(),
                                         request.mutable_end_time()));
  request.set_bucket(BucketNames().at(flags->bucket));
  request.set_time_zone(flags->window.time_zone);
  if (!flags->group_by.empty()) {
    for (const auto field : absl::StrSplit(flags->group_by, ',')) {
      request.add_group_by(std::string(field));
    }
  }
  TOKENUSAGE_RETURN_IF_ERROR(AddFilters(*flags, &request));
  return request;
}

// Formats the bucket's start as briefly as its kind allows.
std::string BucketLabel(const v1::UsageRow& row, v1::TimeBucket bucket,
                        absl::TimeZone zone) {
  const absl::Time start = ToTime(row.bucket_start_time());
  switch (bucket) {
    case v1::TIME_BUCKET_MINUTE:
    case v1::TIME_BUCKET_HOUR:
      return absl::FormatTime("%Y-%m-%dT%H:%MZ", start, absl::UTCTimeZone());
    case v1::TIME_BUCKET_WEEK:
      return absl::FormatTime("%G-W%V", start, zone);
    case v1::TIME_BUCKET_MONTH:
      return absl::FormatTime("%Y-%m", start, zone);
    default:
      return absl::FormatTime("%Y-%m-%d", start, zone);
  }
}

// Returns a total, and how many of the row's records state it if not all do.
std::string FormatTotal(const v1::MeasureTotal& total,
                        std::int64_t record_count) {
  if (total.record_count() == record_count) return total.exact();
  return absl::StrCat(total.exact(), " (", total.record_count(), " of ",
                      record_count, ")");
}

// The rows of the answer, with those columns that a row has a value for.
class Table {
 public:
  Table(const QueryFlags& flags, const v1::QueryUsageRequest& request)
      : bucket_(request.bucket()), zone_(flags.window.zone) {
    if (has_bucket()) heading_.push_back(flags.bucket);
    for (const std::string& field : request.group_by()) {
      heading_.push_back(field);
    }
  }

  void Add(const v1::UsageRow& row) {
    Row& added = rows_.emplace_back();
    if (has_bucket()) added.group.push_back(BucketLabel(row, bucket_, zone_));
    for (const v1::GroupValue& group : row.group()) {
      // Escaped, so that a value cannot control the terminal.
      added.group.push_back(group.has_value()
                                ? Excerpt(group.value(), /*max_chars=*/SIZE_MAX)
                                : "<none>");
    }
    const v1::UsageTotals& totals = row.totals();
    const auto add_count = [&](Column column, const char* name,
                               std::int64_t count) {
      if (count == 0) return;
      columns_[column] = name;
      added.numbers[column] = absl::StrCat(count);
    };
    add_count(kRecords, "records", totals.record_count());
    add_count(kInconsistent, "inconsistent",
              totals.inconsistent_record_count());
    add_count(kUnknownUsage, "unknown_usage",
              totals.unknown_usage_record_count());
    const auto& fields = *v1::UsageTotals::descriptor();
    for (int measure = 1; measure <= v1::UsageMeasure_MAX; ++measure) {
      const auto* const field = fields.FindFieldByNumber(measure);
      if (!totals.GetReflection()->HasField(totals, field)) continue;
      columns_[measure] = std::string(field->name());
      added.numbers[measure] =
          FormatTotal(static_cast<const v1::MeasureTotal&>(
                          totals.GetReflection()->GetMessage(totals, field)),
                      totals.record_count());
    }
  }

  bool empty() const { return rows_.empty(); }

  // Returns the heading and the rows.
  std::vector<std::vector<std::string>> Cells() const {
    std::vector<std::vector<std::string>> cells = {heading_};
    for (const auto& [column, name] : columns_) cells[0].push_back(name);
    for (const Row& row : rows_) {
      cells.push_back(row.group);
      for (const auto& [column, name] : columns_) {
        const auto number = row.numbers.find(column);
        cells.back().push_back(number == row.numbers.end() ? "-"
                                                           : number->second);
      }
    }
    return cells;
  }

  std::string Format() const { return FormatTable(Cells(), heading_.size()); }

 private:
  // Columns of numbers: these, and from 1 on the measures by their numbers.
  enum Column { kRecords = -2, kInconsistent = -1, kUnknownUsage = 0 };

  struct Row {
    std::vector<std::string> group;
    std::map<int, std::string> numbers;  // by column
  };

  bool has_bucket() const { return bucket_ != v1::TIME_BUCKET_NONE; }

  const v1::TimeBucket bucket_;
  const absl::TimeZone zone_;
  std::vector<std::string> heading_;
  std::map<int, std::string> columns_ = {{kRecords, "records"}};
  std::vector<Row> rows_;
};

// Writes the page with the request and its rows, each in JSON.
absl::Status WritePage(const std::string& path,
                       const v1::QueryUsageRequest& request,
                       const std::vector<std::string>& rows,
                       const Table& table) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::string request_json,
                              WriteJson(request));
  const std::string json = absl::StrCat(
      "{\"query_time\":\"",
      absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::Now(), absl::UTCTimeZone()),
      "\",\"request\":", request_json, ",\"rows\":[\n",
      absl::StrJoin(rows, ",\n"), "]}");
  return WriteFile(path, PageHtmlWithAnswer(json, table.Cells()));
}

absl::Status Query(const QueryFlags& flags, v1::QueryUsageRequest request) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const ConnectionOptions connection,
                              ReadConnection(flags.service));
  UsageClient client(connection);
  Table table(flags, request);
  std::vector<std::string> json_rows;  // for the page
  do {
    v1::QueryUsageResponse response;
    absl::Status status = client.Query(request, &response);
    if (StartAtHorizon(flags.window, status, request.mutable_start_time())) {
      status = client.Query(request, &response);
    }
    TOKENUSAGE_RETURN_IF_ERROR(status);
    for (const v1::UsageRow& row : response.rows()) {
      if (!flags.json) table.Add(row);
      if (!flags.json && flags.html.empty()) continue;
      TOKENUSAGE_ASSIGN_OR_RETURN(std::string line, WriteJson(row));
      if (flags.json) {
        PrintData(line + "\n");
      } else {
        json_rows.push_back(std::move(line));
      }
    }
    // The disk is full, or `head` has seen enough.
    if (!FlushData()) return absl::OkStatus();
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  if (flags.json) return absl::OkStatus();
  if (!flags.html.empty()) {
    TOKENUSAGE_RETURN_IF_ERROR(
        WritePage(flags.html, request, json_rows, table));
  } else {
    PrintData(table.Format());
  }
  if (table.empty()) PrintError("no records match");
  return absl::OkStatus();
}

}  // namespace

Command AddQueryCommand(CLI::App* app) {
  auto flags = std::make_shared<QueryFlags>();
  CLI::App* command =
      app->add_subcommand("query", "Show exact totals by time and group");
  command->footer(kFooter);
  AddServiceFlags(command, &flags->service);
  AddWindowFlags(command, &flags->window);
  command->add_option("--bucket", flags->bucket, "The time buckets of the rows")
      ->check(CLI::IsMember(BucketNames()))
      ->type_name("BUCKET")
      ->capture_default_str();
  command->add_option("--group-by", flags->group_by,
                      "The fields to group by: at most 4, separated by commas");
  command
      ->add_option("--filter", flags->filters,
                   "FIELD=VALUE: count only records with this value. "
                   "Repeatable: values of one field are alternatives")
      ->allow_extra_args(false);
  command
      ->add_option("--filter-missing", flags->missing,
                   "labels.KEY: count records without this label, beside those "
                   "that --filter selects by it. Repeatable")
      ->allow_extra_args(false);
  CLI::Option* json =
      command->add_flag("--json", flags->json,
                        "Print one JSON object per row instead of a table");
  command
      ->add_option("--html", flags->html,
                   "Write a page for browsers to this file instead")
      ->type_name("FILE")
      ->excludes(json);
  return {command, [flags] {
            auto request = RequestFromFlags(flags.get());
            if (!request.ok()) return FinishLocal(request.status());
            return Finish(Query(*flags, *std::move(request)));
          }};
}

}  // namespace tokenusage
