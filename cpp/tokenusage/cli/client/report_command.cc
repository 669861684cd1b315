// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <atomic>
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
#include "tokenusage/cli/client/spool_delivery.h"
#include "tokenusage/cli/commands.h"
#include "tokenusage/cli/exit_code.h"
#include "tokenusage/cli/input.h"
#include "tokenusage/cli/message_types.h"
#include "tokenusage/cli/progress.h"
#include "tokenusage/cli/responses.h"
#include "tokenusage/cli/terminal.h"
#include "tokenusage/cli/times.h"

namespace tokenusage {
namespace {

constexpr char kFooter[] = R"(
The input is JSON Lines: one object per line; blank lines are skipped. With --message,
each line is a usage object, or an envelope: record_id, event_time, operation, provider,
model, labels, and the usage object as "usage". With --dialect, the input is what
`tokenusage extract` takes: responses or a stream, which state id, operation, provider and
model. Without both, each line is a record as `tokenusage list` prints it. A line's own
values win over the flags.

A bad line is reported with its number and skipped; the others are stored, and the exit
code is 2. Reporting a file again is safe: each record is counted once. Records are sent
1,000 at a time, the last ones at the end of the input.

With --spool, records are first written to a folder, synced to disk. If the service does
not answer for 15 seconds they wait there, with exit code 0, for the next report with
this --spool or for `tokenusage spool drain`.

Examples:
  tokenusage report --project=demo records.jsonl
  tokenusage report --project=demo --message=openai.v1.ChatUsage log.jsonl
  tokenusage report --project=demo --dialect=openai.chat \
    --event-time=2026-11-01T09:30:00Z response.json
  echo "$USAGE" | tokenusage report --project=demo \
    --message=PostV2ProxyImagesEditsUsage --record-id=$REQUEST_ID \
    --event-time=2026-11-01T09:30:00Z --operation=images.edits --model=gpt-image-1)";

// Limits of ReportUsage, from usage_reporting_service.proto, less what the
// request adds to its records.
constexpr int kMaxBatchRecords = 1000;
constexpr std::size_t kMaxBatchBytes = 1'000'000;
constexpr std::size_t kMaxLineBytes = 1 << 20;
constexpr std::size_t kMaxLineErrors = 1000;  // kept until they are printed

struct ReportFlags {
  ServiceFlags service;
  std::string message;
  std::string dialect;
  std::string record_id;
  std::string event_time;
  std::string operation;
  std::string provider;
  std::string model;
  std::vector<std::string> labels;
  bool ignore_unknown = false;
  std::string spool;
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
      : client_(connection), parser_(std::move(format)) {
    request_.set_project(flags.service.project);
  }

  const ReportCounts& counts() const { return counts_; }

  // Returns UNAVAILABLE if records may not be on the spool's disk.
  absl::Status SyncError() const {
    if (sync_errors_ == 0) return absl::OkStatus();
    return absl::UnavailableError(
        "the spool could not be synced: report the input again, nothing is "
        "counted twice");
  }

  // Gives the records to `spool` instead of sending them.
  void UseSpool(UsageReporter* spool) { spool_ = spool; }

  // Reports all of `input`. Fails if the input cannot be read, or a batch is
  // not acknowledged; the batches before are stored.
  // Responses of `dialect` if it is not null, else JSON Lines.
  absl::Status ReportAll(const Dialect* dialect, Input* input) {
    if (dialect == nullptr) return ReportLines(input);
    TOKENUSAGE_RETURN_IF_ERROR(
        ReadResponses(*dialect, input, [&](const Response& response) {
          return AddResponse(input->name(), response);
        }));
    return SendBatch(input->name());
  }

 private:
  absl::Status ReportLines(Input* input) {
    std::string line;
    while (true) {
      ++line_number_;
      const absl::StatusOr<bool> more = input->ReadLine(kMaxLineBytes, &line);
      if (absl::IsOutOfRange(more.status())) {
        AddBadLine(more.status());
        continue;
      }
      if (!more.ok()) {
        TOKENUSAGE_RETURN_IF_ERROR(SendBatch(input->name()));
        return more.status();
      }
      if (!*more) return SendBatch(input->name());
      TOKENUSAGE_RETURN_IF_ERROR(AddLine(input->name(), line));
      if (line_number_ % 100 == 0) {
        progress_.Show(line_number_, input->FractionRead());
      }
    }
  }

  absl::Status AddLine(const std::string& input_name, const std::string& line) {
    if (line_errors_.size() >= kMaxLineErrors) {
      TOKENUSAGE_RETURN_IF_ERROR(SendBatch(input_name));
    }
    if (line.find_first_not_of(" \t\r") == std::string::npos) {
      return absl::OkStatus();
    }
    const auto record = parser_.Parse(line, line_number_);
    if (absl::IsFailedPrecondition(record.status())) {
      TOKENUSAGE_RETURN_IF_ERROR(SendBatch(input_name));
      return absl::InvalidArgumentError(absl::StrCat(
          input_name, ":", line_number_, ": ", record.status().message()));
    }
    return AddRecord(input_name, record);
  }

  // Adds the records of a response. Those behind the first have an id of their
  // own, or the first one's with a number.
  absl::Status AddResponse(const std::string& input_name, Response response) {
    line_number_ = std::max<std::int64_t>(response.line_number, 1);
    if (!response.extraction.ok()) {
      return AddRecord(input_name, response.extraction.status());
    }
    std::size_t number = 0;
    for (v1::UsageRecord& record : response.extraction->records) {
      const bool has_id = !record.record_id().empty();
      const absl::Status status = parser_.Complete(line_number_, &record);
      if (++number > 1 && !has_id) {
        record.set_record_id(absl::StrCat(record.record_id(), ":", number));
      }
      TOKENUSAGE_RETURN_IF_ERROR(status.ok()
                                     ? AddRecord(input_name, std::move(record))
                                     : AddRecord(input_name, status));
    }
    return absl::OkStatus();
  }

  absl::Status AddRecord(const std::string& input_name,
                         absl::StatusOr<v1::UsageRecord> record) {
    if (record.ok() &&
        record->record_id() == parser_.format().defaults.record_id() &&
        ++fixed_id_count_ > 1) {
      record = absl::InvalidArgumentError(
          "--record-id: expected {line} in it for more than one line, found "
          "the same id for each");
    }
    if (!record.ok()) {
      AddBadLine(record.status());
      return absl::OkStatus();
    }
    if (spool_ != nullptr) return Spool(input_name, *std::move(record));
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

  absl::Status Spool(const std::string& input_name, v1::UsageRecord record) {
    const absl::Status status = spool_->Report(
        std::move(record),
        [this](const absl::Status& synced) { sync_errors_ += !synced.ok(); });
    if (absl::IsInvalidArgument(status)) {
      AddBadLine(status);
    } else if (!status.ok()) {
      return absl::Status(
          status.code(),
          absl::StrCat(input_name, ":", line_number_, ": ", status.message()));
    }
    return absl::OkStatus();
  }

  absl::Status SendBatch(const std::string& input_name) {
    absl::Status status;
    if (request_.records_size() > 0) {
      v1::ReportUsageResponse response;
      status = client_.Report(request_, &response);
      if (status.ok()) AddAnswer(response);
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
                  " are not confirmed, later ones were not sent: report the "
                  "input again, nothing is counted twice"
            : lines + " were refused, later ones were not sent");
  }

  void AddAnswer(const v1::ReportUsageResponse& response) {
    counts_.stored += response.stored_count();
    counts_.duplicate += response.duplicate_count();
    counts_.refused += response.errors_size();
    for (const v1::RecordError& error : response.errors()) {
      const std::string where =
          error.field().empty() ? "" : error.field() + ": ";
      line_errors_.emplace(
          batch_lines_[static_cast<std::size_t>(error.index())],
          where + error.message());
    }
  }

  void AddBadLine(const absl::Status& status) {
    ++counts_.bad_lines;
    // The parser sees one line; the error is printed with the line's number.
    line_errors_.emplace(
        line_number_, absl::StrReplaceAll(status.message(),
                                          {{"(line 1, column ", "(column "}}));
  }

  void PrintLineErrors(const std::string& input_name) {
    if (!line_errors_.empty()) progress_.Clear();
    for (const auto& [line_number, message] : line_errors_) {
      PrintError(absl::StrCat(input_name, ":", line_number, ": ", message));
    }
    line_errors_.clear();
  }

  UsageClient client_;
  UsageReporter* spool_ = nullptr;
  std::atomic<int> sync_errors_{0};
  const ReportLineParser parser_;
  Progress progress_{"lines"};
  ReportCounts counts_;
  std::int64_t line_number_ = 0;
  int fixed_id_count_ = 0;          // lines whose id is that of --record-id
  v1::ReportUsageRequest request_;  // the batch
  std::size_t batch_bytes_ = 0;     // of its records
  std::vector<std::int64_t> batch_lines_;            // its records' lines
  std::map<std::int64_t, std::string> line_errors_;  // since the last batch
};

// Reads all flags but --message.
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

// Reports through a spool. What the service does not answer for stays there.
ExitCode RunSpoolReport(const ReportFlags& flags, ReportLineFormat format,
                        const ConnectionOptions& connection,
                        const Dialect* dialect, Input* input) {
  const auto spool = StartSpoolReporter(flags.service, flags.spool);
  if (!spool.ok()) return FinishLocal(spool.status());
  Reporter reporter(flags, connection, std::move(format));
  reporter.UseSpool(spool->get());
  absl::Status status = reporter.ReportAll(dialect, input);
  const absl::Status delivered = Deliver(spool->get());
  if (!delivered.ok()) PrintError(delivered);
  const UsageReporterCounters counters = (*spool)->counters();
  PrintData(absl::StrCat(DescribeDelivery(counters), ", bad lines ",
                         reporter.counts().bad_lines, "\n"));
  status.Update(reporter.SyncError());
  if (!status.ok()) return Finish(status);
  return counters.refused + reporter.counts().bad_lines == 0 ? kExitOk
                                                             : kExitBadInput;
}

ExitCode RunReport(const ReportFlags& flags) {
  auto format = FormatFromFlags(flags);
  if (!format.ok()) return FinishLocal(format.status());
  if (!flags.message.empty()) {
    const auto field = FindUsageField(flags.message);
    if (!field.ok()) return Finish(field.status());
    format->usage_field = *field;
  }
  const Dialect* dialect = nullptr;
  if (!flags.dialect.empty()) {
    const auto found = GetDialect(flags.dialect);
    if (!found.ok()) return Finish(found.status());
    dialect = *found;
  }
  auto input = Input::Open(flags.file);
  if (!input.ok()) return Finish(input.status());
  const auto connection = ReadConnection(flags.service);
  if (!connection.ok()) return Finish(connection.status());
  if (!flags.spool.empty()) {
    return RunSpoolReport(flags, *std::move(format), *connection, dialect,
                          &*input);
  }
  Reporter reporter(flags, *connection, *std::move(format));
  const absl::Status status = reporter.ReportAll(dialect, &*input);
  const ReportCounts& counts = reporter.counts();
  PrintData(absl::StrCat("stored ", counts.stored, ", duplicate ",
                         counts.duplicate, ", refused ", counts.refused,
                         ", bad lines ", counts.bad_lines, "\n"));
  if (!status.ok()) return Finish(status);
  return counts.refused + counts.bad_lines == 0 ? kExitOk : kExitBadInput;
}

}  // namespace

Command AddReportCommand(CLI::App* app) {
  auto flags = std::make_shared<ReportFlags>();
  CLI::App* command =
      app->add_subcommand("report", "Report usage from a file of JSON Lines");
  command->footer(kFooter);
  AddServiceFlags(command, &flags->service);
  CLI::Option* const message =
      command->add_option("--message", flags->message,
                          "The usage message that each line holds, such as "
                          "openai.v1.ChatUsage");
  command
      ->add_option("--dialect", flags->dialect,
                   "The provider and endpoint whose responses the input "
                   "holds: see tokenusage dialects")
      ->excludes(message);
  command->add_option("--record-id", flags->record_id,
                      "The record's id. For more than one line it must contain "
                      "{line}, which stands for the line's number");
  command->add_option("--event-time", flags->event_time,
                      "When the usage occurred: 2026-11-01T09:30:00Z, or a "
                      "date, for its start in UTC");
  command->add_option("--operation", flags->operation,
                      "What the model was asked to do, such as images.edits");
  command->add_option("--provider", flags->provider,
                      "Who served the model, such as openai");
  command->add_option("--model", flags->model,
                      "The model, such as gpt-image-1");
  command
      ->add_option("--label", flags->labels,
                   "A label, such as team=web; repeatable")
      ->allow_extra_args(false);
  command->add_flag("--ignore-unknown", flags->ignore_unknown,
                    "Ignore unknown members of envelopes and records instead "
                    "of refusing the line");
  command
      ->add_option("--spool", flags->spool,
                   "Write the records to this folder first, and leave there "
                   "what the service does not answer for")
      ->type_name("DIR");
  command->add_option("FILE", flags->file, "The input; - is standard input")
      ->capture_default_str();
  return {command, [flags] { return RunReport(*flags); }};
}

}  // namespace tokenusage
