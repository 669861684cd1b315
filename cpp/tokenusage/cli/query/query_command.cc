// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tokenusage/base/file.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/cli/client/client.h"
#include "tokenusage/cli/client/filter_flags.h"
#include "tokenusage/cli/client/group_flags.h"
#include "tokenusage/cli/client/service_flags.h"
#include "tokenusage/cli/client/window_flags.h"
#include "tokenusage/cli/commands.h"
#include "tokenusage/cli/exit_code.h"
#include "tokenusage/cli/query/answer.h"
#include "tokenusage/cli/terminal.h"
#include "tokenusage/cli/times.h"

namespace tokenusage {
namespace {

constexpr char kFooter[] = R"(
A field is project, operation, provider, model or labels.KEY; --project=- is all projects
that you may query. The table has a column for each measure that a record of the answer
states. In it, - is a measure that no record of the row states, 120 (3 of 4) one that 3 of
its 4 records state, and <none> a missing label; --json and --csv are unambiguous. Totals
are exact decimals. Weeks are those of ISO 8601, such as 2026-W45; minutes and hours are
those of UTC.

--by=MEASURE puts the rows with the largest total first and shows the share of each in the
whole; --compare adds that total in the window before (whole months before whole months,
days before days) and the change. --html writes a page that shows the rows in a browser,
with a chart, and can be sent as it is.

Examples:
  tokenusage query --project=demo
  tokenusage query --project=demo --since=7d --bucket=day --group-by=model,operation
  tokenusage query --project=demo --month=2026-10 --time-zone=Europe/Berlin \
    --bucket=day --filter=model=gpt-image-1
  tokenusage query --project=demo --since=today --group-by=labels.team --json
  tokenusage query --project=demo --bucket=day --group-by=model --html=usage.html
  tokenusage query --project=- --month=2026-10 --group-by=project,model \
    --top=10 --by=cost_usd --compare)";

struct QueryFlags {
  ServiceFlags service;
  WindowFlags window;
  FilterFlags filter;
  GroupFlags groups;
  std::string by;
  std::int64_t top = 0;  // 0: all
  bool compare = false;
  bool json = false;
  bool csv = false;
  std::string html;
};

// Returns the answer to the flags' query, without rows yet.
absl::StatusOr<QueryAnswer> EmptyAnswer(const QueryFlags& flags) {
  QueryAnswer answer;
  const absl::Time now = absl::Now();
  TOKENUSAGE_ASSIGN_OR_RETURN(answer.window, ParseWindow(flags.window, now));
  answer.bucket = BucketOf(flags.groups);
  answer.order_by = flags.by;
  answer.top = flags.top;
  if (!flags.compare) return answer;
  if (answer.bucket != v1::TIME_BUCKET_NONE) {
    return absl::InvalidArgumentError("--compare: expected no --bucket");
  }
  if (flags.window.month.empty() && flags.window.start == kDefaultStart) {
    return absl::InvalidArgumentError(
        "--compare: expected --start, --since or --month, found none");
  }
  if (flags.window.month.empty() && flags.window.end == kDefaultEnd) {
    answer.window.end = now;
  }
  answer.window_before = WindowBefore(answer.window);
  return answer;
}

absl::StatusOr<v1::QueryUsageRequest> RequestOf(const QueryFlags& flags,
                                                QueryAnswer* answer) {
  v1::QueryUsageRequest request;
  request.set_project(flags.service.project);
  SetWindow(answer->window, &request);
  request.set_bucket(answer->bucket);
  request.set_time_zone(flags.window.time_zone);
  ParseGroupBy(flags.groups, request.mutable_group_by());
  answer->group_by.assign(request.group_by().begin(), request.group_by().end());
  TOKENUSAGE_RETURN_IF_ERROR(
      ParseFilters(flags.filter, request.mutable_filters()));
  request.set_order_by(flags.by);
  return request;
}

// Runs one query, and writes its answer.
class QueryRun {
 public:
  // All arguments but `request` must outlive the object.
  QueryRun(const QueryFlags& flags, v1::QueryUsageRequest request,
           UsageClient* client, QueryAnswer* answer)
      : flags_(flags),
        request_(std::move(request)),
        client_(*client),
        answer_(*answer) {}

  absl::Status Run() {
    has_value_.resize(answer_.group_by.size());
    if (answer_.window_before) TOKENUSAGE_RETURN_IF_ERROR(ReadWindowBefore());
    TOKENUSAGE_ASSIGN_OR_RETURN(
        has_all_rows_,
        ReadRows(&request_, flags_.top,
                 [this](v1::UsageRow row) { return TakeRow(std::move(row)); }));
    if (!flags_.json) {
      answer_.window.start = ToTime(request_.start_time());
      if (!has_all_rows_) TOKENUSAGE_RETURN_IF_ERROR(ReadTotal());
      TOKENUSAGE_RETURN_IF_ERROR(WriteAnswer());
      if (row_count_ == 0 && !flags_.csv) PrintError("no records match");
    }
    return SayWhatIsMissing();
  }

 private:
  using RowVisitor = std::function<absl::Status(v1::UsageRow row)>;

  // Calls `visit` with the rows of all pages, or with only the first `limit`
  // rows if `limit` is not 0. Returns whether those were all.
  absl::StatusOr<bool> ReadRows(v1::QueryUsageRequest* request,
                                std::int64_t limit, const RowVisitor& visit) {
    constexpr std::int64_t kMaxPageSize = 1000;
    std::int64_t left = limit == 0 ? INT64_MAX : limit;
    request->clear_page_token();
    do {
      request->set_page_size(static_cast<int>(std::min(left, kMaxPageSize)));
      auto response = client_.Query(*request);
      while (StartAtHorizon(flags_.window, response.status(),
                            request->mutable_start_time())) {
        response = client_.Query(*request);
      }
      TOKENUSAGE_RETURN_IF_ERROR(response.status());
      left -= response->rows_size();
      for (v1::UsageRow& row : *response->mutable_rows()) {
        TOKENUSAGE_RETURN_IF_ERROR(visit(std::move(row)));
      }
      // The disk is full, or `head` has seen enough.
      if (!FlushData()) return false;
      request->set_page_token(response->next_page_token());
    } while (left > 0 && !request->page_token().empty());
    return request->page_token().empty();
  }

  // Reads the groups' totals in the window before.
  absl::Status ReadWindowBefore() {
    v1::QueryUsageRequest request = request_;
    SetWindow(*answer_.window_before, &request);
    request.clear_order_by();
    const auto take = [this](const v1::UsageRow& row) -> absl::Status {
      TOKENUSAGE_ASSIGN_OR_RETURN(const UsageSum sum, SumOf(row.totals()));
      const std::optional<Amount> total = TotalNamed(answer_.order_by, sum);
      if (!total) return absl::OkStatus();
      before_.emplace(GroupOf(row), *total);
      answer_.total_before = answer_.total_before.value_or(Amount()) + *total;
      return absl::OkStatus();
    };
    return ReadRows(&request, 0, take).status();
  }

  // Prints the row, or adds it to the answer.
  absl::Status TakeRow(v1::UsageRow row) {
    ++row_count_;
    const GroupValues group = GroupOf(row);
    for (std::size_t i = 0; i < std::min(group.size(), has_value_.size());
         ++i) {
      if (group[i]) has_value_[i] = true;
    }
    TOKENUSAGE_ASSIGN_OR_RETURN(UsageSum sum, SumOf(row.totals()));
    QueryRow taken{std::move(row), std::move(sum), std::nullopt};
    const auto before = before_.find(group);
    if (before != before_.end()) taken.total_before = before->second;
    if (flags_.json) {
      TOKENUSAGE_ASSIGN_OR_RETURN(const std::string line,
                                  FormatQueryJson(answer_, taken));
      PrintData(line + "\n");
      return absl::OkStatus();
    }
    answer_.total.Add(taken.sum);
    answer_.rows.push_back(std::move(taken));
    return absl::OkStatus();
  }

  // Reads the total of all rows, of which only some were read.
  absl::Status ReadTotal() {
    v1::QueryUsageRequest request = TotalQuery(request_);
    answer_.total = UsageSum();
    const auto take = [this](const v1::UsageRow& row) -> absl::Status {
      TOKENUSAGE_ASSIGN_OR_RETURN(answer_.total, SumOf(row.totals()));
      return absl::OkStatus();
    };
    return ReadRows(&request, 0, take).status();
  }

  // Prints the answer, or writes it to a file.
  absl::Status WriteAnswer() const {
    if (!flags_.html.empty()) {
      v1::QueryUsageRequest request = request_;
      request.clear_page_size();
      request.clear_page_token();
      TOKENUSAGE_ASSIGN_OR_RETURN(const std::string page,
                                  FormatQueryPage(request, answer_));
      return WriteFile(flags_.html, page);
    }
    if (flags_.csv) {
      PrintData(FormatQueryCsv(answer_));
    } else {
      const QueryTable table = QueryTableOf(answer_);
      PrintData(table.caption + "\n" +
                FormatTable(table.cells, table.first_number_column));
    }
    FlushData();
    return absl::OkStatus();
  }

  // Names on stderr what the query asks for and no record has.
  absl::Status SayWhatIsMissing() {
    for (std::size_t i = 0; i < has_value_.size(); ++i) {
      if (row_count_ == 0 || !has_all_rows_ || has_value_[i]) continue;
      PrintError(absl::StrCat("--group-by: no record of the answer has ",
                              answer_.group_by[i]));
    }
    return SayWhatNothingHas(request_, row_count_ > 0, &client_);
  }

  const QueryFlags& flags_;
  v1::QueryUsageRequest request_;
  UsageClient& client_;
  QueryAnswer& answer_;
  std::map<GroupValues, Amount> before_;
  std::int64_t row_count_ = 0;
  bool has_all_rows_ = false;
  std::vector<bool> has_value_;  // by field of group_by
};

absl::Status Query(const QueryFlags& flags, v1::QueryUsageRequest request,
                   QueryAnswer answer) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const ConnectionOptions connection,
                              ReadConnection(flags.service));
  UsageClient client(connection);
  return QueryRun(flags, std::move(request), &client, &answer).Run();
}

void AddRowFlags(CLI::App* command, QueryFlags* flags) {
  AddGroupFlags(command, &flags->groups);
  AddFilterFlags(command, &flags->filter);
  CLI::Option* const by =
      command
          ->add_option("--by", flags->by,
                       "record_count or a measure: the rows with the largest "
                       "total first, with their shares")
          ->type_name("MEASURE");
  command->add_option("--top", flags->top, "Only this many rows: the largest")
      ->check(CLI::PositiveNumber)
      ->type_name("NUMBER")
      ->needs(by);
  command
      ->add_flag("--compare", flags->compare, "Compare with the window before")
      ->needs(by);
}

}  // namespace

Command AddQueryCommand(CLI::App* app) {
  auto flags = std::make_shared<QueryFlags>();
  CLI::App* command = AddSubcommand(
      app, "query", "Show exact totals by time and group", kFooter);
  AddServiceFlags(command, &flags->service);
  AddWindowFlags(command, &flags->window);
  AddRowFlags(command, flags.get());
  CLI::Option* const json =
      command->add_flag("--json", flags->json,
                        "Print one JSON object per row instead of a table");
  CLI::Option* const csv =
      command->add_flag("--csv", flags->csv, "Print CSV instead of a table")
          ->excludes(json);
  command
      ->add_option("--html", flags->html,
                   "Write a page for browsers to this file instead")
      ->type_name("FILE")
      ->excludes(json)
      ->excludes(csv);
  return {
      command, [flags] {
        auto answer = EmptyAnswer(*flags);
        if (!answer.ok()) return FinishLocal(answer.status());
        auto request = RequestOf(*flags, &*answer);
        if (!request.ok()) return FinishLocal(request.status());
        return Finish(Query(*flags, *std::move(request), *std::move(answer)));
      }};
}

}  // namespace tokenusage
