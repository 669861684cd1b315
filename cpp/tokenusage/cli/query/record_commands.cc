// SPDX-License-Identifier: Apache-2.0

// get and list: print records as they were reported.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/time/clock.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/cli/client/client.h"
#include "tokenusage/cli/client/filter_flags.h"
#include "tokenusage/cli/client/service_flags.h"
#include "tokenusage/cli/client/window_flags.h"
#include "tokenusage/cli/commands.h"
#include "tokenusage/cli/exit_code.h"
#include "tokenusage/cli/terminal.h"
#include "tokenusage/json/json.h"

namespace tokenusage {
namespace {

constexpr char kGetFooter[] = R"(
Prints the record as one line of JSON; exits with 1 if there is none.

Examples:
  tokenusage get --project=demo 019a3f5e-7c1b-7d2a-9e4f-0123456789ab)";

constexpr char kListFooter[] = R"(
Prints JSON Lines, sorted by event_time, then record_id; `tokenusage report` reads them.
Fields that this version does not know are not printed.

Examples:
  tokenusage list --project=demo --limit=10
  tokenusage list --project=demo --start=2026-11-01 --end=2026-11-02
  tokenusage list --project=demo --since=7d --filter=labels.team=web
  tokenusage list --project=demo --inconsistent)";

struct GetFlags {
  ServiceFlags service;
  std::string record_id;
};

absl::Status Get(const GetFlags& flags) {
  v1::GetUsageRecordRequest request;
  request.set_project(flags.service.project);
  request.set_record_id(flags.record_id);
  TOKENUSAGE_ASSIGN_OR_RETURN(const ConnectionOptions connection,
                              ReadConnection(flags.service));
  TOKENUSAGE_ASSIGN_OR_RETURN(const v1::GetUsageRecordResponse response,
                              UsageClient(connection).Get(request));
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::string line,
                              WriteJson(response.record()));
  PrintData(line + "\n");
  return absl::OkStatus();
}

constexpr std::int64_t kMaxPageSize = 1000;

struct ListFlags {
  ServiceFlags service;
  WindowFlags window;
  std::int64_t limit = 0;
  FilterFlags filter;
  bool inconsistent = false;
};

absl::StatusOr<v1::ListUsageRecordsRequest> RequestFromFlags(
    const ListFlags& flags) {
  v1::ListUsageRecordsRequest request;
  request.set_project(flags.service.project);
  TOKENUSAGE_ASSIGN_OR_RETURN(const ZonedWindow window,
                              ParseWindow(flags.window, absl::Now()));
  SetWindow(window, &request);
  request.set_inconsistent_only(flags.inconsistent);
  TOKENUSAGE_RETURN_IF_ERROR(
      ParseFilters(flags.filter, request.mutable_filters()));
  return request;
}

absl::Status List(const ListFlags& flags, v1::ListUsageRecordsRequest request) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const ConnectionOptions connection,
                              ReadConnection(flags.service));
  UsageClient client(connection);
  std::int64_t left = flags.limit == 0 ? INT64_MAX : flags.limit;
  bool found_some = false;
  do {
    request.set_page_size(static_cast<int>(std::min(left, kMaxPageSize)));
    auto response = client.List(request);
    if (StartAtHorizon(flags.window, response.status(),
                       request.mutable_start_time())) {
      response = client.List(request);
    }
    TOKENUSAGE_RETURN_IF_ERROR(response.status());
    for (const v1::UsageRecord& record : response->records()) {
      TOKENUSAGE_ASSIGN_OR_RETURN(const std::string line, WriteJson(record));
      PrintData(line + "\n");
    }
    // The disk is full, or `head` has seen enough.
    if (!FlushData()) return absl::OkStatus();
    left -= response->records_size();
    found_some = found_some || response->records_size() > 0;
    request.set_page_token(response->next_page_token());
  } while (left > 0 && !request.page_token().empty());
  if (found_some) return absl::OkStatus();
  return SayWhatNothingHas(TotalQuery(request), found_some, &client);
}

}  // namespace

Command AddGetCommand(CLI::App* app) {
  auto flags = std::make_shared<GetFlags>();
  CLI::App* command = AddSubcommand(
      app, "get", "Print one record as it was reported", kGetFooter);
  AddServiceFlags(command, &flags->service);
  command->add_option("RECORD_ID", flags->record_id, "The record's id")
      ->required();
  return {command, [flags] { return Finish(Get(*flags)); }};
}

Command AddListCommand(CLI::App* app) {
  auto flags = std::make_shared<ListFlags>();
  CLI::App* command = AddSubcommand(
      app, "list", "Print the records of a time window as they were reported",
      kListFooter);
  AddServiceFlags(command, &flags->service);
  AddWindowFlags(command, &flags->window);
  AddFilterFlags(command, &flags->filter);
  command
      ->add_option("--limit", flags->limit,
                   "The most records to print; 0 is all")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->add_flag("--inconsistent", flags->inconsistent,
                    "Only records whose usage contradicts itself; each line "
                    "says why");
  return {command, [flags] {
            auto request = RequestFromFlags(*flags);
            if (!request.ok()) return FinishLocal(request.status());
            return Finish(List(*flags, *std::move(request)));
          }};
}

}  // namespace tokenusage
