// SPDX-License-Identifier: Apache-2.0

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tokenusage/base/excerpt.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/cli/client/client.h"
#include "tokenusage/cli/client/report_line.h"
#include "tokenusage/cli/client/service_flags.h"
#include "tokenusage/cli/commands.h"
#include "tokenusage/cli/exit_code.h"
#include "tokenusage/cli/input.h"
#include "tokenusage/cli/message_types.h"
#include "tokenusage/cli/terminal.h"
#include "tokenusage/cli/times.h"

namespace tokenusage {
namespace {

constexpr char kFooter[] = R"(
The input is JSON Lines: one object per line, blank lines are skipped. With --message
each line is a usage object, or an envelope with a usage object in "usage" beside
record_id, event_time, operation, provider, model and labels. Without it each line is
a record as `tokenusage list` prints it. What a line says wins over the flags.

A bad line is reported with its number and skipped; the good ones are stored, and the
exit code is 2. Reporting a file again is safe: what is stored is counted once.
Records are sent 1,000 at a time, the last ones at the end of the input.

Examples:
  tokenusage report --project=demo records.jsonl
  tokenusage report --project=demo --message=PostV2ProxyImagesEditsUsage log.jsonl
  echo "$USAGE" | tokenusage report --project=demo \
    --message=PostV2ProxyImagesEditsUsage --record-id=$REQUEST_ID \
    --event-time=2026-11-01T09:30:00Z --operation=images.edits --model=gpt-image-1)";

// Limits of ReportUsage, from usage_reporting_service.proto; the bytes leave
// room for the request's own framing.
constexpr int kMaxBatchRecords = 1000;
constexpr std::size_t kMaxBatchBytes = 1'000'000;
constexpr std::size_t kMaxLineBytes = 1 << 20;
constexpr std::size_t kMaxLineErrors = 1000;  // kept until they are printed

struct ReportFlags {
  ServiceFlags service;
  std::string message;
  std::string record_id;
  std::string event_time;
  std::string operation;
  std::string provider;
  std::string model;
  std::vector<std::string> labels;
  bool ignore_unknown = false;
  std::string file = "-";
};

struct ReportCounts {
  std::int64_t stored = 0;
  std::int64_t duplicate = 0;
  std::int64_t refused = 0;    // by the service
  std::int64_t bad_lines = 0;  // not sent
};

// Collects the records of an input and sends them in batches.
class Reporter {
 public:
  Reporter(const ReportFlags& flags, const ConnectionOptions& connection,
           ReportLineFormat format)
      : client_(connection), format_(std::move(format)) {
    request_.set_project(flags.service.project);
  }

  const ReportCounts& counts() const { return counts_; }

  // Reads all of `input`. Fails where the input cannot be read on, or a batch
  // was not acknowledged; what came before is stored.
  absl::Status ReportAll(Input* input) {
    std::string line;
    while (true) {
      ++line_number_;
      const absl::StatusOr<bool> more = input->ReadLine(kMaxLineBytes, &line);
      if (absl::IsOutOfRange(more.status())) {
        AddLineError(line_number_, std::string(more.status().message()));
        ++counts_.bad_lines;
        continue;
      }
      if (!more.ok()) {
        TOKENUSAGE_RETURN_IF_ERROR(SendBatch(input->name()));
        return more.status();
      }
      if (!*more) return SendBatch(input->name());
      TOKENUSAGE_RETURN_IF_ERROR(AddLine(input->name(), line));
    }
  }

 private:
  absl::Status AddLine(const std::string& input_name, const std::string& line) {
    if (line_errors_.size() >= kMaxLineErrors) {
      TOKENUSAGE_RETURN_IF_ERROR(SendBatch(input_name));
    }
    if (line.find_first_not_of(" \t\r") == std::string::npos) {
      return absl::OkStatus();
    }
    auto record = ParseReportLine(line, line_number_, format_);
    if (!record.ok()) {
      // It is line 1 of a text of its own, and stands behind its real number.
      AddLineError(line_number_,
                   absl::StrReplaceAll(record.status().message(),
                                       {{"(line 1, column ", "(column "}}));
      ++counts_.bad_lines;
      return absl::OkStatus();
    }
    if (record->record_id() == format_.defaults.record_id() &&
        ++fixed_id_count_ > 1) {
      AddLineError(line_number_,
                   "--record-id: expected {line} in it, for more than one "
                   "line, found the same id for each");
      ++counts_.bad_lines;
      return absl::OkStatus();
    }
    const std::size_t bytes = record->ByteSizeLong();
    if (request_.records_size() == kMaxBatchRecords ||
        batch_bytes_ + bytes > kMaxBatchBytes) {
      TOKENUSAGE_RETURN_IF_ERROR(SendBatch(input_name));
    }
    // Tag and length take at most 6 bytes.
    batch_bytes_ += bytes + 6;
    *request_.add_records() = *std::move(record);
    batch_lines_.push_back(line_number_);
    return absl::OkStatus();
  }

  absl::Status SendBatch(const std::string& input_name) {
    absl::Status status;
    if (request_.records_size() > 0) {
      v1::ReportUsageResponse response;
      status = client_.Report(request_, &response);
      if (status.ok()) AddResponse(response);
    }
    PrintLineErrors(input_name);
    if (!status.ok()) return BatchError(input_name, status);
    request_.clear_records();
    batch_lines_.clear();
    batch_bytes_ = 0;
    return status;
  }

  absl::Status BatchError(const std::string& input_name,
                          const absl::Status& status) const {
    const std::string lines =
        absl::StrCat(status.message(), "; ", input_name, " lines ",
                     batch_lines_.front(), " to ", batch_lines_.back());
    return absl::Status(
        status.code(),
        ExitCodeFor(status) == kExitUnavailable
            ? lines +
                  " are not confirmed, later ones were not sent: report it "
                  "again, nothing is counted twice"
            : lines + " were refused, later ones were not sent");
  }

  void AddResponse(const v1::ReportUsageResponse& response) {
    counts_.stored += response.stored_count();
    counts_.duplicate += response.duplicate_count();
    counts_.refused += response.errors_size();
    for (const v1::RecordError& error : response.errors()) {
      const std::string where =
          error.field().empty() ? "" : error.field() + ": ";
      AddLineError(batch_lines_[static_cast<std::size_t>(error.index())],
                   where + error.message());
    }
  }

  void AddLineError(std::int64_t line_number, std::string message) {
    line_errors_.emplace(line_number, std::move(message));
  }

  void PrintLineErrors(const std::string& input_name) {
    for (const auto& [line_number, message] : line_errors_) {
      PrintError(absl::StrCat(input_name, ":", line_number, ": ", message));
    }
    line_errors_.clear();
  }

  UsageClient client_;
  const ReportLineFormat format_;
  ReportCounts counts_;
  std::int64_t line_number_ = 0;
  int fixed_id_count_ = 0;          // lines that took --record-id as it is
  v1::ReportUsageRequest request_;  // the batch
  std::size_t batch_bytes_ = 0;     // of its records
  std::vector<std::int64_t> batch_lines_;            // its records' lines
  std::map<std::int64_t, std::string> line_errors_;  // since the last batch
};

// All but the kind of usage.
absl::StatusOr<ReportLineFormat> FormatFromFlags(const ReportFlags& flags) {
  ReportLineFormat format;
  format.ignore_unknown = flags.ignore_unknown;
  format.defaults.set_record_id(flags.record_id);
  format.defaults.set_operation(flags.operation);
  format.defaults.set_provider(flags.provider);
  format.defaults.set_model(flags.model);
  if (!flags.event_time.empty()) {
    TOKENUSAGE_ASSIGN_OR_RETURN(
        *format.defaults.mutable_event_time(),
        ParseTime("--event-time", flags.event_time, absl::UTCTimeZone()));
  }
  for (const std::string& label : flags.labels) {
    const std::size_t equals = label.find('=');
    if (equals == std::string::npos) {
      return absl::InvalidArgumentError(absl::StrCat(
          "--label: expected KEY=VALUE, found \"", Excerpt(label), "\""));
    }
    (*format.defaults.mutable_labels())[label.substr(0, equals)] =
        label.substr(equals + 1);
  }
  return format;
}

int RunReport(const ReportFlags& flags) {
  auto format = FormatFromFlags(flags);
  if (!format.ok()) {
    PrintError(std::string(format.status().message()));
    return kExitUsage;
  }
  if (!flags.message.empty()) {
    const auto field = FindUsageField(flags.message);
    if (!field.ok()) {
      PrintError(std::string(field.status().message()));
      return kExitBadInput;
    }
    format->usage_field = *field;
  }
  auto input = Input::Open(flags.file);
  if (!input.ok()) {
    PrintError(std::string(input.status().message()));
    return kExitBadInput;
  }
  const auto connection = ReadConnection(flags.service);
  if (!connection.ok()) {
    PrintError(std::string(connection.status().message()));
    return ExitCodeFor(connection.status());
  }
  Reporter reporter(flags, *connection, *std::move(format));
  const absl::Status status = reporter.ReportAll(&*input);
  const ReportCounts& counts = reporter.counts();
  PrintData(absl::StrCat("stored ", counts.stored, ", duplicate ",
                         counts.duplicate, ", refused ", counts.refused,
                         ", bad lines ", counts.bad_lines, "\n"));
  if (!status.ok()) {
    PrintError(std::string(status.message()));
    return ExitCodeFor(status);
  }
  return counts.refused + counts.bad_lines == 0 ? kExitOk : kExitBadInput;
}

}  // namespace

void AddReportCommand(CLI::App* app, int* exit_code) {
  auto flags = std::make_shared<ReportFlags>();
  CLI::App* command =
      app->add_subcommand("report", "Report usage from a file of JSON Lines");
  command->footer(kFooter);
  AddServiceFlags(command, &flags->service);
  command->add_option("--message", flags->message,
                      "The usage message that each line holds, as "
                      "PostV2ProxyImagesEditsUsage");
  command->add_option("--record-id", flags->record_id,
                      "The record's id. For more than one line it must hold "
                      "{line}, which stands for the line's number");
  command->add_option("--event-time", flags->event_time,
                      "When the usage occurred, as 2026-11-01T09:30:00Z, or "
                      "a date, whose start in UTC is meant");
  command->add_option("--operation", flags->operation,
                      "What the model was asked to do, as images.edits");
  command->add_option("--provider", flags->provider,
                      "Who served the model, as openai");
  command->add_option("--model", flags->model, "The model, as gpt-image-1");
  command
      ->add_option("--label", flags->labels, "A label, as team=web; repeatable")
      ->allow_extra_args(false);
  command->add_flag("--ignore-unknown", flags->ignore_unknown,
                    "Pass over members of envelopes and records that are not "
                    "known, instead of refusing the line");
  command->add_option("FILE", flags->file, "The input; - is standard input")
      ->capture_default_str();
  command->callback([flags, exit_code] { *exit_code = RunReport(*flags); });
}

}  // namespace tokenusage
