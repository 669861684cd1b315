// SPDX-License-Identifier: Apache-2.0

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/cli/client/service_flags.h"
#include "tokenusage/cli/commands.h"
#include "tokenusage/cli/exit_code.h"
#include "tokenusage/cli/report/delivery.h"
#include "tokenusage/cli/terminal.h"
#include "tokenusage/client/spool/spool.h"
#include "tokenusage/json/json.h"

namespace tokenusage {
namespace {

constexpr char kFooter[] = R"(
A spool is a folder in which a reporter keeps records until the service has answered for
them: see docs/client.md.

Examples:
  tokenusage spool list /var/lib/gateway/usage
  tokenusage spool drain --server=usage.example.com:8105 /var/lib/gateway/usage
  tokenusage spool check /var/lib/gateway/usage)";

constexpr char kListFooter[] = R"(
Prints the records that wait, as JSON Lines that `tokenusage report` reads. Changes
nothing, and may be used while a reporter has the spool.)";

constexpr char kDrainFooter[] = R"(
Sends the records that wait, in order, and waits until the service has answered for all
of them. No other reporter may have the spool meanwhile. Refused records are printed, and
appended to refused.jsonl in the folder.

Exit codes: 0 all are stored; 2 some were refused; 1 the service refuses the caller; 69
it did not answer for 15 seconds, or for 5 at the start. What is left stays in the spool.)";

constexpr char kCheckFooter[] = R"(
Reads all records that wait, and prints how many there are, and how many are lost to
damage. Changes nothing.

Exit codes: 0 no damage; 2 damage; 1 failure.)";

struct SpoolFlags {
  ServiceFlags service;
  std::string folder;
};

absl::Status PrintRecords(const SpoolFlags& flags) {
  absl::Status status;
  const auto print = [&status](std::string_view bytes) {
    v1::UsageRecord record;
    if (!record.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
      status.Update(absl::DataLossError("a record cannot be read"));
      return;
    }
    const absl::StatusOr<std::string> line = WriteJson(record);
    status.Update(line.status());
    if (line.ok()) PrintData(*line + "\n");
  };
  TOKENUSAGE_RETURN_IF_ERROR(
      InspectSpool(flags.folder, FileSystem::Real(), print).status());
  return status;
}

absl::Status Check(const SpoolFlags& flags) {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      const SpoolSummary summary,
      InspectSpool(flags.folder, FileSystem::Real(), [](std::string_view) {}));
  const SpoolDamage& damage = summary.damage;
  PrintData(absl::StrCat(
      "project ", summary.project, ", waiting ", summary.records, ", bytes ",
      summary.bytes, ", lost records ", damage.lost_records, ", torn tails ",
      damage.torn_tails, ", damaged files ", damage.lost_files, "\n"));
  if (damage.lost_records + damage.torn_tails + damage.lost_files == 0) {
    return absl::OkStatus();
  }
  return absl::DataLossError("spool " + flags.folder + ": damaged");
}

ExitCode Drain(SpoolFlags* flags) {
  const auto summary =
      InspectSpool(flags->folder, FileSystem::Real(), [](std::string_view) {});
  if (!summary.ok()) return FinishLocal(summary.status());
  flags->service.project = summary->project;
  const auto delivery = StartSpoolDelivery(flags->service, flags->folder);
  if (!delivery.ok()) return FinishLocal(delivery.status());
  const absl::Status status = FinishSpoolDelivery(delivery->get());
  const UsageReporterCounters counters = (*delivery)->reporter().counters();
  PrintData(absl::StrCat(DescribeAnswers(counters), ", waiting ",
                         counters.pending_records, "\n"));
  if (!status.ok()) return Finish(status);
  return counters.refused == 0 ? kExitOk : kExitBadInput;
}

}  // namespace

Command AddSpoolCommand(CLI::App* app) {
  auto flags = std::make_shared<SpoolFlags>();
  CLI::App* spool = AddSubcommand(
      app, "spool", "Show, send or check the records that wait in a spool",
      kFooter);
  const auto add = [&](const char* name, const char* about,
                       const char* footer) {
    CLI::App* command = AddSubcommand(spool, name, about, footer);
    command->add_option("DIR", flags->folder, "The spool's folder")->required();
    return command;
  };
  CLI::App* list = add("list", "Print the records that wait", kListFooter);
  CLI::App* drain = add("drain", "Send the records that wait", kDrainFooter);
  AddConnectionFlags(drain, &flags->service);
  CLI::App* check = add("check", "Look for damage", kCheckFooter);
  return WithSubcommands(
      spool, {{list, [flags] { return FinishLocal(PrintRecords(*flags)); }},
              {drain, [flags] { return Drain(flags.get()); }},
              {check, [flags] { return FinishLocal(Check(*flags)); }}});
}

}  // namespace tokenusage
