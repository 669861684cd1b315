// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "tokenusage/base/status_macros.h"
#include "tokenusage/cli/client/client.h"
#include "tokenusage/cli/client/service_flags.h"
#include "tokenusage/cli/client/window_flags.h"
#include "tokenusage/cli/commands.h"
#include "tokenusage/cli/exit_code.h"
#include "tokenusage/cli/terminal.h"
#include "tokenusage/json/json.h"

namespace tokenusage {
namespace {

constexpr char kFooter[] = R"(
Prints JSON Lines, sorted by event_time, then record_id; `tokenusage report` reads them.
Fields that this version does not know are not printed.

Examples:
  tokenusage list --project=demo --limit=10
  tokenusage list --project=demo --start=2026-11-01 --end=2026-11-02
  tokenusage list --project=demo --inconsistent)";

constexpr std::int64_t kMaxPageSize = 1000;

struct ListFlags {
  ServiceFlags service;
  WindowFlags window;
  std::int64_t limit = 0;
  bool inconsistent = false;
};

absl::StatusOr<v1::ListUsageRecordsRequest> RequestFromFlags(ListFlags* flags) {
  v1::ListUsageRecordsRequest request;
  request.set_project(flags->service.project);
  TOKENUSAGE_RETURN_IF_ERROR(ParseWindow(&flags->window,
                                         request.mutable_start_time(),
                                         request.mutable_end_time()));
  request.set_inconsistent_only(flags->inconsistent);
  return request;
}

absl::Status List(const ListFlags& flags, v1::ListUsageRecordsRequest request) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const ConnectionOptions connection,
                              ReadConnection(flags.service));
  UsageClient client(connection);
  std::int64_t left = flags.limit == 0 ? INT64_MAX : flags.limit;
  do {
    request.set_page_size(static_cast<int>(std::min(left, kMaxPageSize)));
    v1::ListUsageRecordsResponse response;
    absl::Status status = client.List(request, &response);
    if (StartAtHorizon(flags.window, status, request.mutable_start_time())) {
      status = client.List(request, &response);
    }
    TOKENUSAGE_RETURN_IF_ERROR(status);
    for (const v1::UsageRecord& record : response.records()) {
      TOKENUSAGE_ASSIGN_OR_RETURN(const std::string line, WriteJson(record));
      PrintData(line + "\n");
    }
    // The disk is full, or `head` has seen enough.
    if (!FlushData()) return absl::OkStatus();
    left -= response.records_size();
    request.set_page_token(response.next_page_token());
  } while (left > 0 && !request.page_token().empty());
  return absl::OkStatus();
}

}  // namespace

Command AddListCommand(CLI::App* app) {
  auto flags = std::make_shared<ListFlags>();
  CLI::App* command = app->add_subcommand(
      "list", "Print the records of a time window as they were reported");
  command->footer(kFooter);
  AddServiceFlags(command, &flags->service);
  AddWindowFlags(command, &flags->window);
  command
      ->add_option("--limit", flags->limit,
                   "The most records to print; 0 is all")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->add_flag("--inconsistent", flags->inconsistent,
                    "Only records whose usage contradicts itself; each line "
                    "says why");
  return {command, [flags] {
            auto request = RequestFromFlags(flags.get());
            if (!request.ok()) return FinishLocal(request.status());
            return Finish(List(*flags, *std::move(request)));
          }};
}

}  // namespace tokenusage
