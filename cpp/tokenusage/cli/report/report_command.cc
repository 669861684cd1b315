// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tokenusage/base/excerpt.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/cli/client/service_flags.h"
#include "tokenusage/cli/commands.h"
#include "tokenusage/cli/exit_code.h"
#include "tokenusage/cli/input.h"
#include "tokenusage/cli/message_types.h"
#include "tokenusage/cli/progress.h"
#include "tokenusage/cli/report/delivery.h"
#include "tokenusage/cli/report/report_line.h"
#include "tokenusage/cli/responses.h"
#include "tokenusage/cli/terminal.h"
#include "tokenusage/cli/times.h"

namespace tokenusage {
namespace {

constexpr char kFooter[] = R"(
The input is JSON Lines: one object per line; blank lines are skipped. With --message,
each line is a usage object, or an envelope: record_id, event_time, operation, provider,
model, labels, and the usage object as "usage". With --dialect, the input is what
`tokenusage extract` takes: responses or streams. The dialect gives the operation and the
provider; --operation and --provider win over it. Without both, each line is a record as
`tokenusage list` prints it. What a line or a response states wins over the flags.

A bad line is reported with its number and skipped; the others are stored, and the exit
code is 2. Reporting a file again is safe: each record is counted once. Records are sent
1,000 at a time, or 100 ms after they were read. If the service does not answer for 15
seconds, or for 5 at the start, the command gives up.

With --spool, records are first written to a folder, synced to disk. If the service does
not answer, they wait there, with exit code 0, for the next report with this --spool or
for `tokenusage spool drain`.

Examples:
  tokenusage report --project=demo records.jsonl
  tokenusage report --project=demo --message=openai.v1.ChatUsage log.jsonl
  tokenusage report --project=demo --dialect=openai.chat \
    --event-time=2026-11-01T09:30:00Z response.json
  echo "$USAGE" | tokenusage report --project=demo \
    --message=PostV2ProxyImagesEditsUsage --record-id=$REQUEST_ID \
    --event-time=2026-11-01T09:30:00Z --operation=images.edits --model=gpt-image-1)";

constexpr std::size_t kMaxLineBytes = 1 << 20;
constexpr std::size_t kMaxLineErrors = 1000;  // kept until they are printed

// Without a spool, the most records and bytes that the service has not answered
// for. Their lines are remembered.
constexpr std::size_t kMaxUnanswered = 10'000;
constexpr std::size_t kMaxUnansweredBytes = 16 << 20;

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
  std::string file;
};

// Parses the records of an input and reports them.
class Reporter {
 public:
  explicit Reporter(ReportLineFormat format) : parser_(std::move(format)) {}

  // Starts the delivery.
  absl::Status Start(const ReportFlags& flags) {
    if (!flags.spool.empty()) {
      TOKENUSAGE_ASSIGN_OR_RETURN(
          delivery_, StartSpoolDelivery(flags.service, flags.spool));
      return absl::OkStatus();
    }
    UsageReporterOptions options;
    options.on_refused = [this](const v1::UsageRecord& record,
                                const v1::RecordError& error) {
      const std::lock_guard lock(mutex_);
      line_errors_.emplace(lines_.at(record.record_id()),
                           DescribeRecordError(error));
    };
    TOKENUSAGE_ASSIGN_OR_RETURN(
        delivery_, Delivery::Start(flags.service, std::move(options)));
    has_spool_ = false;
    return absl::OkStatus();
  }

  // Reports all of `input`, which holds responses of `dialect` or, if that is
  // null, JSON Lines, and waits for the service's answers. Fails if the input
  // cannot be read, the spool cannot be written or, without a spool, the
  // service does not answer.
  absl::Status ReportAll(const Dialect* dialect, Input* input) {
    input_name_ = input->name();
    absl::Status status =
        dialect == nullptr
            ? ReportLines(input)
            : ReadResponses(*dialect, input, [&](const Response& response) {
                return AddResponse(response);
              });
    if (!is_failed_) status.Update(Deliver());
    if (!has_spool_) return status;
    const absl::Status delivered = FinishSpoolDelivery(delivery_.get());
    if (!delivered.ok()) PrintError(delivered);
    status.Update(SyncError());
    return status;
  }

  // Prints the outcomes of the records, and returns whether all are stored or
  // wait in the spool.
  bool PrintSummary() const {
    const UsageReporterCounters counters = delivery_->reporter().counters();
    PrintData(absl::StrCat(
        DescribeAnswers(counters),
        has_spool_ ? absl::StrCat(", waiting ", counters.pending_records) : "",
        ", bad lines ", bad_lines_, "\n"));
    return counters.refused + bad_lines_ == 0;
  }

 private:
  absl::Status ReportLines(Input* input) {
    std::string line;
    while (true) {
      ++line_number_;
      const absl::StatusOr<bool> more = input->ReadLine(kMaxLineBytes, &line);
      if (absl::IsOutOfRange(more.status())) {
        TOKENUSAGE_RETURN_IF_ERROR(AddBadLine(more.status()));
        continue;
      }
      if (!more.ok()) return more.status();
      if (!*more) return absl::OkStatus();
      TOKENUSAGE_RETURN_IF_ERROR(AddLine(line));
      if (line_number_ % 100 == 0) {
        progress_.Show(line_number_, input->FractionRead());
      }
    }
  }

  absl::Status AddLine(const std::string& line) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) {
      return absl::OkStatus();
    }
    const auto record = parser_.Parse(line, line_number_);
    if (absl::IsFailedPrecondition(record.status())) {
      return absl::InvalidArgumentError(absl::StrCat(
          input_name_, ":", line_number_, ": ", record.status().message()));
    }
    return AddRecord(record);
  }

  // Adds the records of a response. One after the first that states no id gets
  // that of --record-id with a number.
  absl::Status AddResponse(Response response) {
    line_number_ = response.line_number;
    if (!response.extraction.ok()) {
      return AddRecord(response.extraction.status());
    }
    const std::string remark = Remark(*response.extraction);
    if (!remark.empty()) {
      progress_.Clear();
      PrintError(DescribeIn(input_name_, line_number_, remark));
    }
    line_number_ = std::max<std::int64_t>(line_number_, 1);
    std::size_t number = 0;
    for (v1::UsageRecord& record : response.extraction->records) {
      const bool has_id = !record.record_id().empty();
      const absl::Status status = parser_.Complete(line_number_, &record);
      if (++number > 1 && !has_id) {
        record.set_record_id(absl::StrCat(record.record_id(), ":", number));
      }
      TOKENUSAGE_RETURN_IF_ERROR(status.ok() ? AddRecord(std::move(record))
                                             : AddRecord(status));
    }
    return absl::OkStatus();
  }

  absl::Status AddRecord(absl::StatusOr<v1::UsageRecord> record) {
    if (record.ok() &&
        record->record_id() == parser_.format().defaults.record_id() &&
        ++fixed_id_count_ > 1) {
      record = absl::InvalidArgumentError(
          "--record-id: expected {line} in it for more than one line, found "
          "the same id for each");
    }
    if (!record.ok()) return AddBadLine(record.status());
    if (!has_spool_) {
      TOKENUSAGE_RETURN_IF_ERROR(RememberLine(*record));
    }
    const absl::Status status = delivery_->reporter().Report(
        *std::move(record),
        [this](const absl::Status& synced) { sync_errors_ += !synced.ok(); });
    if (absl::IsInvalidArgument(status)) return AddBadLine(status);
    if (status.ok()) return status;
    return absl::Status(
        status.code(),
        absl::StrCat(input_name_, ":", line_number_, ": ", status.message()));
  }

  // Remembers the line of a record that is about to be reported. Ids tell lines
  // apart, so a record waits for the answer about another one with the same id.
  absl::Status RememberLine(const v1::UsageRecord& record) {
    const std::size_t bytes = record.ByteSizeLong();
    if (lines_.size() == kMaxUnanswered || lines_.count(record.record_id()) ||
        unanswered_bytes_ + bytes > kMaxUnansweredBytes) {
      TOKENUSAGE_RETURN_IF_ERROR(Deliver());
    }
    unanswered_bytes_ += bytes;
    const std::lock_guard lock(mutex_);
    lines_.emplace(record.record_id(), line_number_);
    return absl::OkStatus();
  }

  // Without a spool, waits until the service has answered for all records.
  // Prints the errors of their lines.
  absl::Status Deliver() {
    const absl::Status status =
        has_spool_ ? absl::OkStatus() : delivery_->Wait(nullptr);
    is_failed_ = !status.ok();
    const std::lock_guard lock(mutex_);
    PrintLineErrors();
    if (!status.ok()) return DeliveryError(status);
    lines_.clear();
    unanswered_bytes_ = 0;
    return status;
  }

  absl::Status DeliveryError(const absl::Status& status) const {
    std::int64_t first = line_number_;
    std::int64_t last = 0;
    for (const auto& [id, line] : lines_) {
      first = std::min(first, line);
      last = std::max(last, line);
    }
    const std::string lines = absl::StrCat(status.message(), "; ", input_name_,
                                           " lines ", first, " to ", last);
    return absl::Status(
        status.code(),
        ExitCodeFor(status) == kExitUnavailable
            ? lines +
                  " are not confirmed, later ones were not sent: report the "
                  "input again, nothing is counted twice"
            : lines + " were refused, later ones were not sent");
  }

  absl::Status AddBadLine(const absl::Status& status) {
    ++bad_lines_;
    const std::lock_guard lock(mutex_);
    line_errors_.emplace(line_number_, std::string(status.message()));
    if (line_errors_.size() >= kMaxLineErrors) PrintLineErrors();
    return absl::OkStatus();
  }

  void PrintLineErrors() {
    if (!line_errors_.empty()) progress_.Clear();
    for (const auto& [line_number, message] : line_errors_) {
      PrintError(DescribeIn(input_name_, line_number, message));
    }
    line_errors_.clear();
  }

  // Returns UNAVAILABLE if records may not be on the spool's disk.
  absl::Status SyncError() const {
    if (sync_errors_ == 0) return absl::OkStatus();
    return absl::UnavailableError(
        "the spool could not be synced: report the input again, nothing is "
        "counted twice");
  }

  const ReportLineParser parser_;
  std::string input_name_;
  bool has_spool_ = true;
  bool is_failed_ = false;  // the service does not answer
  Progress progress_{"lines"};
  std::atomic<int> sync_errors_{0};
  std::int64_t bad_lines_ = 0;  // not sent
  std::int64_t line_number_ = 0;
  int fixed_id_count_ = 0;  // lines whose id is that of --record-id
  std::size_t unanswered_bytes_ = 0;

  std::mutex mutex_;                                 // guards the members below
  std::map<std::string, std::int64_t> lines_;        // of the unanswered, by id
  std::map<std::int64_t, std::string> line_errors_;  // not printed yet

  std::unique_ptr<Delivery> delivery_;  // calls back: destroyed first
};

// Reads the flags that say what the lines hold, except --message.
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

ExitCode RunReport(const ReportFlags& flags) {
  auto format = FormatFromFlags(flags);
  if (!format.ok()) return FinishLocal(format.status());
  if (!flags.message.empty()) {
    const auto field = FindUsageField(flags.message);
    if (!field.ok()) return Finish(field.status());
    format->usage_field = *field;
  }
  std::optional<Dialect> dialect;
  if (!flags.dialect.empty()) {
    const auto found = GetDialect(flags.dialect);
    if (!found.ok()) return Finish(found.status());
    dialect = **found;
    if (!flags.provider.empty()) dialect->provider = flags.provider;
    if (!flags.operation.empty()) dialect->operation = flags.operation;
  }
  auto input = Input::Open(flags.file);
  if (!input.ok()) return Finish(input.status());
  Reporter reporter(*std::move(format));
  const absl::Status started = reporter.Start(flags);
  if (!started.ok()) return Finish(started);
  const absl::Status status =
      reporter.ReportAll(dialect ? &*dialect : nullptr, &*input);
  const bool is_complete = reporter.PrintSummary();
  if (!status.ok()) return Finish(status);
  return is_complete ? kExitOk : kExitBadInput;
}

}  // namespace

Command AddReportCommand(CLI::App* app) {
  auto flags = std::make_shared<ReportFlags>();
  CLI::App* command = AddSubcommand(
      app, "report", "Report usage from a file of JSON Lines", kFooter);
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
  AddFileArgument(command, &flags->file);
  return {command, [flags] { return RunReport(*flags); }};
}

}  // namespace tokenusage
