// SPDX-License-Identifier: Apache-2.0

#include <memory>
#include <string>
#include <vector>

#include "tokenusage/base/status_macros.h"
#include "tokenusage/cli/client/client.h"
#include "tokenusage/cli/client/service_flags.h"
#include "tokenusage/cli/client/window_flags.h"
#include "tokenusage/cli/commands.h"
#include "tokenusage/cli/exit_code.h"
#include "tokenusage/cli/terminal.h"
#include "tokenusage/cli/times.h"
#include "tokenusage/json/json.h"

namespace tokenusage {
namespace {

constexpr char kFooter[] = R"(
Records before a project's horizon were removed, and their totals kept.

Examples:
  tokenusage projects
  tokenusage projects --json)";

struct ProjectsFlags {
  ServiceFlags service;
  bool json = false;
};

absl::Status ListProjects(const ProjectsFlags& flags) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const ConnectionOptions connection,
                              ReadConnection(flags.service));
  UsageClient client(connection);
  std::vector<std::vector<std::string>> table = {{"project", "horizon (UTC)"}};
  v1::ListProjectsRequest request;
  do {
    TOKENUSAGE_ASSIGN_OR_RETURN(const v1::ListProjectsResponse response,
                                client.ListProjects(request));
    for (const v1::Project& project : response.projects()) {
      if (!flags.json) {
        table.push_back(
            {project.name(), project.has_horizon_time()
                                 ? FormatZoned(ToTime(project.horizon_time()),
                                               absl::UTCTimeZone())
                                 : "-"});
        continue;
      }
      TOKENUSAGE_ASSIGN_OR_RETURN(const std::string line, WriteJson(project));
      PrintData(line + "\n");
    }
    // The disk is full, or `head` has seen enough.
    if (!FlushData()) return absl::OkStatus();
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  if (!flags.json) PrintData(FormatTable(table, table[0].size()));
  return absl::OkStatus();
}

}  // namespace

Command AddProjectsCommand(CLI::App* app) {
  auto flags = std::make_shared<ProjectsFlags>();
  CLI::App* command = AddSubcommand(
      app, "projects", "List the projects that you may query", kFooter);
  AddConnectionFlags(command, &flags->service);
  command->add_flag("--json", flags->json,
                    "Print one JSON object per project instead of a table");
  return {command, [flags] { return Finish(ListProjects(*flags)); }};
}

}  // namespace tokenusage
