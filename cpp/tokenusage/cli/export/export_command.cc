// SPDX-License-Identifier: Apache-2.0

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tokenusage/base/excerpt.h"
#include "tokenusage/base/proto_time.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/cli/client/client.h"
#include "tokenusage/cli/client/filter_flags.h"
#include "tokenusage/cli/client/group_flags.h"
#include "tokenusage/cli/client/service_flags.h"
#include "tokenusage/cli/client/window_flags.h"
#include "tokenusage/cli/commands.h"
#include "tokenusage/cli/exit_code.h"
#include "tokenusage/cli/export/folder.h"
#include "tokenusage/cli/progress.h"
#include "tokenusage/cli/terminal.h"
#include "tokenusage/internal/export_manifest.pb.h"
#include "tokenusage/record/usage_totals.h"

namespace tokenusage {
namespace {

constexpr char kFooter[] = R"(
Writes the records of a window, or with --totals the rows that `tokenusage query` shows,
into files part-000001, part-000002 and so on in FOLDER, and manifest.json, which has
their numbers of rows, their checksums, and the exact sum of each measure. At the end it
asks the service for the same sums: an export is complete only if they are equal.

If it is interrupted, the same command continues after the last part. A record that was
corrected, or takes another back, is exported with corrected_by or corrects, and is not
part of the sums. In CSV a missing value is an empty field and an empty text is "", times
have the offset of --time-zone, and text that a spreadsheet could take for a formula gets
an apostrophe in front.

--verify reads an export, without a service, and prints what differs from its manifest.

Exit codes: 0 complete, or verified; 1 failure, also if the totals changed meanwhile;
2 the files are damaged, incomplete or refused; 64 wrong usage; 69 service unavailable.

Examples:
  tokenusage export --project=demo --start=2026-10-01 --end=2026-11-01 october
  tokenusage export --project=demo --start=2026-10-01 --end=2026-11-01 --format=csv \
    --totals --bucket=month --group-by=labels.customer october-by-customer
  tokenusage export --verify october)";

struct ExportFlags {
  ServiceFlags service;
  WindowFlags window;
  GroupFlags groups;
  FilterFlags filters;
  std::string format = kExportJsonLines;
  std::int64_t part_bytes = 64 << 20;
  bool totals = false;
  bool verify = false;
  std::string folder;
};

absl::StatusOr<internal::ExportRequest> RequestFromFlags(
    const ExportFlags& flags) {
  internal::ExportRequest request;
  if (flags.service.project.empty()) {
    return absl::InvalidArgumentError("--project is required");
  }
  request.set_project(flags.service.project);
  TOKENUSAGE_ASSIGN_OR_RETURN(const ZonedWindow window,
                              ParseWindow(flags.window, absl::Now()));
  SetWindow(window, &request);
  request.set_time_zone(window.zone_name);
  request.set_content(flags.totals ? kExportTotals : kExportRecords);
  request.set_format(flags.format);
  request.set_bucket(BucketOf(flags.groups));
  ParseGroupBy(flags.groups, request.mutable_group_by());
  TOKENUSAGE_RETURN_IF_ERROR(
      ParseFilters(flags.filters, request.mutable_filters()));
  return request;
}

// Exports one window.
class Exporter {
 public:
  Exporter(const ConnectionOptions& connection, ExportFolder* folder)
      : client_(connection),
        folder_(*folder),
        request_(folder->manifest().request()),
        start_time_(folder->last()
                        ? TimestampFromNanos(folder->last()->time_nanos)
                        : request_.start_time()),
        progress_(request_.content() == kExportTotals ? "rows" : "records") {}

  absl::Status Run() {
    TOKENUSAGE_RETURN_IF_ERROR(
        request_.content() == kExportTotals ? AddTotals() : AddRecords());
    progress_.Clear();
    TOKENUSAGE_RETURN_IF_ERROR(folder_.WritePart());
    TOKENUSAGE_RETURN_IF_ERROR(CompareTotals());
    return folder_.Complete();
  }

 private:
  // Adds the records from the time of the last row on; the folder takes no row
  // twice. A page token would be of no use to an interrupted export, since it
  // may become invalid when the server restarts.
  absl::Status AddRecords() {
    v1::ListUsageRecordsRequest list;
    list.set_project(request_.project());
    *list.mutable_start_time() = start_time_;
    *list.mutable_end_time() = request_.end_time();
    *list.mutable_filters() = request_.filters();
    do {
      TOKENUSAGE_ASSIGN_OR_RETURN(const v1::ListUsageRecordsResponse response,
                                  client_.List(list));
      TOKENUSAGE_RETURN_IF_ERROR(Add(response.records()));
      list.set_page_token(response.next_page_token());
    } while (!list.page_token().empty());
    return absl::OkStatus();
  }

  absl::Status AddTotals() {
    v1::QueryUsageRequest query = TotalQuery(request_);
    *query.mutable_start_time() = start_time_;
    query.set_bucket(request_.bucket());
    query.set_time_zone(request_.time_zone());
    *query.mutable_group_by() = request_.group_by();
    do {
      TOKENUSAGE_ASSIGN_OR_RETURN(const v1::QueryUsageResponse response,
                                  client_.Query(query));
      TOKENUSAGE_RETURN_IF_ERROR(Add(response.rows()));
      query.set_page_token(response.next_page_token());
    } while (!query.page_token().empty());
    return absl::OkStatus();
  }

  template <typename Items>
  absl::Status Add(const Items& items) {
    for (const auto& item : items) {
      TOKENUSAGE_ASSIGN_OR_RETURN(const ExportRow row,
                                  folder_.rows().Write(item));
      TOKENUSAGE_RETURN_IF_ERROR(folder_.Add(row));
    }
    added_ += items.size();
    progress_.Show(added_, FractionDone());
    return absl::OkStatus();
  }

  // Returns the fraction of the window before the last row. Rows are in order
  // of time, but those of totals without buckets all have the same time.
  std::optional<double> FractionDone() const {
    if (!folder_.last()) return std::nullopt;
    return FractionBetween(NanosFromTimestamp(start_time_),
                           folder_.last()->time_nanos,
                           NanosFromTimestamp(request_.end_time()));
  }

  // Compares the sum of the rows with the service's: they differ if usage was
  // reported or corrected in a part of the window that had been exported
  // already, or if the service counts usage that this program does not know.
  absl::Status CompareTotals() {
    TOKENUSAGE_ASSIGN_OR_RETURN(const v1::QueryUsageResponse response,
                                client_.Query(TotalQuery(request_)));
    std::optional<UsageSum> expected = UsageSum();
    if (response.rows_size() > 0) {
      expected = FromUsageTotals(response.rows(0).totals());
    }
    if (!expected) return absl::InternalError("totals: expected decimals");
    const std::vector<std::string> differences =
        Differences(*expected, folder_.sum());
    if (differences.empty()) return absl::OkStatus();
    return absl::AbortedError(absl::StrCat(
        "the service's totals of the window are not those of the export: ",
        differences.front(),
        ": usage was reported or corrected meanwhile; repeat the command, or "
        "export to another folder"));
  }

  UsageClient client_;
  ExportFolder& folder_;
  const internal::ExportRequest& request_;
  const ::google::protobuf::Timestamp start_time_;
  Progress progress_;
  std::int64_t added_ = 0;
};

ExitCode Export(const ExportFlags& flags) {
  const auto request = RequestFromFlags(flags);
  if (!request.ok()) return FinishLocal(request.status());
  const auto connection = ReadConnection(flags.service);
  if (!connection.ok()) return FinishLocal(connection.status());
  const auto folder =
      ExportFolder::Open(flags.folder, *request, flags.part_bytes);
  if (!folder.ok()) return FinishLocal(folder.status());
  const internal::ExportManifest& manifest = (*folder)->manifest();
  if (!manifest.complete()) {
    const absl::Status status = Exporter(*connection, folder->get()).Run();
    if (!status.ok()) return Finish(status);
  }
  PrintData(absl::StrCat("rows ", manifest.row_count(), ", parts ",
                         manifest.parts_size(), ", records that count ",
                         manifest.sums().record_count(), "\n"));
  return kExitOk;
}

absl::Status Verify(const std::string& folder) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const ExportCheck check, CheckExport(folder));
  for (const std::string& problem : check.problems) {
    PrintData(Excerpt(problem, /*max_chars=*/SIZE_MAX) + "\n");
  }
  PrintData(absl::StrCat("rows ", check.row_count, ", parts ",
                         check.manifest.parts_size(), ", records that count ",
                         check.sum.record_count, ", problems ",
                         check.problems.size(), "\n"));
  if (check.problems.empty()) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat("folder ", folder, ": problems ", check.problems.size()));
}

}  // namespace

Command AddExportCommand(CLI::App* app) {
  auto flags = std::make_shared<ExportFlags>();
  CLI::App* command = AddSubcommand(
      app, "export", "Write records or totals into files, or verify such files",
      kFooter);
  AddServiceFlags(command, &flags->service);
  command->get_option("--project")->required(false);  // not for --verify
  AddWindowFlags(command, &flags->window);
  command->add_option("--format", flags->format, "csv or jsonl: JSON Lines")
      ->check(CLI::IsMember({kExportCsv, kExportJsonLines}))
      ->type_name("FORMAT")
      ->capture_default_str();
  CLI::Option* totals = command->add_flag("--totals", flags->totals,
                                          "Export totals instead of records");
  AddGroupFlags(command, &flags->groups);
  command->get_option("--bucket")->needs(totals);
  command->get_option("--group-by")->needs(totals);
  AddFilterFlags(command, &flags->filters);
  command
      ->add_option("--part-bytes", flags->part_bytes,
                   "The most bytes of a file, unless one row has more")
      ->check(CLI::Range(std::int64_t{1}, kMaxExportPartBytes))
      ->capture_default_str();
  command->add_flag("--verify", flags->verify,
                    "Compare the files with their manifest");
  command->add_option("FOLDER", flags->folder, "The folder")->required();
  return {command, [flags] {
            if (flags->verify) return FinishLocal(Verify(flags->folder));
            return Export(*flags);
          }};
}

}  // namespace tokenusage
