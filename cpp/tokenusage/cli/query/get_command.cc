// SPDX-License-Identifier: Apache-2.0

#include <memory>
#include <string>

#include "tokenusage/base/status_macros.h"
#include "tokenusage/cli/client/client.h"
#include "tokenusage/cli/client/service_flags.h"
#include "tokenusage/cli/commands.h"
#include "tokenusage/cli/exit_code.h"
#include "tokenusage/cli/terminal.h"
#include "tokenusage/json/json.h"

namespace tokenusage {
namespace {

constexpr char kFooter[] = R"(
Prints the record as one line of JSON; exits with 1 if there is none.

Examples:
  tokenusage get --project=demo 019a3f5e-7c1b-7d2a-9e4f-0123456789ab)";

struct GetFlags {
  ServiceFlags service;
  std::string record_id;
};

absl::Status Get(const GetFlags& flags) {
  v1::GetUsageRecordRequest request;
  request.set_project(flags.service.project);
  request.set_record_id(flags.record_id);
  v1::GetUsageRecordResponse response;
  TOKENUSAGE_ASSIGN_OR_RETURN(const ConnectionOptions connection,
                              ReadConnection(flags.service));
  UsageClient client(connection);
  TOKENUSAGE_RETURN_IF_ERROR(client.Get(request, &response));
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::string line,
                              WriteJson(response.record()));
  PrintData(line + "\n");
  return absl::OkStatus();
}

}  // namespace

Command AddGetCommand(CLI::App* app) {
  auto flags = std::make_shared<GetFlags>();
  CLI::App* command =
      app->add_subcommand("get", "Print one record as it was reported");
  command->footer(kFooter);
  AddServiceFlags(command, &flags->service);
  command->add_option("RECORD_ID", flags->record_id, "The record's id")
      ->required();
  return {command, [flags] { return Finish(Get(*flags)); }};
}

}  // namespace tokenusage
