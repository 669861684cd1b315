// SPDX-License-Identifier: Apache-2.0

// extract, count and dialects: show what responses and usage objects state.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tokenusage/base/json_string.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/base/string_view.h"
#include "tokenusage/cli/commands.h"
#include "tokenusage/cli/exit_code.h"
#include "tokenusage/cli/input.h"
#include "tokenusage/cli/message_types.h"
#include "tokenusage/cli/responses.h"
#include "tokenusage/cli/terminal.h"
#include "tokenusage/json/json.h"
#include "tokenusage/record/record_counts.h"
#include "tokenusage/record/usage_totals.h"
#include "tokenusage/usage/usage_rules.h"
#include "tokenusage/v1/usage_record.pb.h"

namespace tokenusage {
namespace {

constexpr char kExtractFooter[] = R"(
A file holds one response, a response a line, or the server-sent events of streams. The
records are JSON Lines for `tokenusage report`, and lack event_time. A response without
usage gives a record that says why. A usage that is not all of the response's is printed,
and stderr says so. What is bad is reported with its place, the rest is printed, and the
exit code is 2.

Examples:
  tokenusage extract --dialect=openai.chat response.json
  tokenusage extract --dialect=anthropic.messages --counts stream.txt
  tokenusage extract --dialect=openai.chat log.jsonl |
    tokenusage report --project=demo --event-time=2026-11-01T09:30:00Z)";

constexpr char kCountFooter[] = R"(
A file holds one usage object, or one a line. What is bad is reported with its place, the
rest is counted, and the exit code is 2.

Examples:
  tokenusage count --message=openai.v1.ChatUsage usage.json
  tokenusage count --message=TokenUsage < usages.jsonl)";

struct Flags {
  std::string dialect;
  std::string message;
  bool counts = false;
  std::vector<std::string> files;
};

// Opens each file and calls `read`, which returns whether everything succeeded.
ExitCode ReadFiles(const std::vector<std::string>& files,
                   const std::function<absl::StatusOr<bool>(Input*)>& read) {
  ExitCode exit_code = kExitOk;
  for (const std::string& file : files) {
    absl::StatusOr<Input> input = Input::Open(file);
    if (!input.ok()) return Finish(input.status());
    const absl::StatusOr<bool> good = read(&*input);
    if (!good.ok()) return Finish(good.status());
    if (!*good) exit_code = kExitBadInput;
  }
  return exit_code;
}

// Prints a message with its place.
void PrintErrorAt(const Input& input, std::int64_t line_number,
                  std::string_view message) {
  PrintError(DescribeIn(input.name(), line_number, message));
}

// Returns a line such as {"message":"tokenusage.openai.v1.ChatUsage",
// "model":"m","complete":true,"counts":{"total_tokens":"9"},
// "inconsistencies":[]}, with exact decimals, "unknown_reason" if the usage is
// unknown, and `detail`, the member that it lacks, unless it is empty.
absl::StatusOr<std::string> CountsLine(const v1::UsageRecord& record,
                                       bool is_complete,
                                       std::string_view detail) {
  std::vector<v1::UsageInconsistency> why;
  const UsageCounts counts = CountRecord(record, &why);
  const auto* field = record.GetReflection()->GetOneofFieldDescriptor(
      record, v1::UsageRecord::descriptor()->FindOneofByName("usage"));
  std::string line = "{";
  AppendJsonMember("message", std::string(field->message_type()->full_name()),
                   &line);
  AppendJsonMember("model", record.model(), &line);
  absl::StrAppend(&line, ",\"complete\":", is_complete ? "true" : "false");
  if (record.has_usage_unknown()) {
    AppendJsonMember(
        "unknown_reason",
        v1::UnknownUsageReason_Name(record.usage_unknown().reason()), &line);
  }
  if (!detail.empty()) AppendJsonMember("detail", detail, &line);
  std::string amounts = "{";
  counts.ForEach([&](v1::UsageMeasure measure, Amount amount) {
    AppendJsonMember(NameOf(measure), amount.ToDecimal(), &amounts);
  });
  absl::StrAppend(&line, ",\"counts\":", amounts, "},\"inconsistencies\":[");
  for (const v1::UsageInconsistency& inconsistency : why) {
    if (&inconsistency != &why.front()) line.push_back(',');
    TOKENUSAGE_RETURN_IF_ERROR(AppendJson(inconsistency, &line));
  }
  line.append("]}\n");
  return line;
}

absl::Status PrintExtraction(const Extraction& extraction, bool counts) {
  for (const v1::UsageRecord& record : extraction.records) {
    std::string line;
    if (counts) {
      TOKENUSAGE_ASSIGN_OR_RETURN(
          line, CountsLine(record, extraction.is_complete, extraction.detail));
    } else {
      TOKENUSAGE_RETURN_IF_ERROR(AppendJsonLine(record, &line));
    }
    PrintData(line);
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> ExtractFrom(const Dialect& dialect, bool counts,
                                 Input* input) {
  bool good = true;
  TOKENUSAGE_RETURN_IF_ERROR(
      ReadResponses(dialect, input, [&](const Response& response) {
        absl::Status status = response.extraction.status();
        std::string remark;
        if (status.ok()) {
          status = PrintExtraction(*response.extraction, counts);
          if (!counts) remark = Remark(*response.extraction);
        }
        if (!status.ok()) remark = std::string(status.message());
        if (!remark.empty()) PrintErrorAt(*input, response.line_number, remark);
        good = good && status.ok();
        return absl::OkStatus();
      }));
  return good;
}

absl::Status PrintCounts(const ::google::protobuf::FieldDescriptor* field,
                         const UsageRules& rules, const std::string& json) {
  v1::UsageRecord record;
  auto* const usage = record.GetReflection()->MutableMessage(&record, field);
  TOKENUSAGE_RETURN_IF_ERROR(ParseJson(json, usage));
  if (const auto violation = rules.Find(*usage)) {
    return absl::InvalidArgumentError(
        absl::StrCat(violation->field, ": ", violation->message));
  }
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::string line,
                              CountsLine(record, /*is_complete=*/true, ""));
  PrintData(line);
  return absl::OkStatus();
}

absl::StatusOr<bool> CountIn(const ::google::protobuf::FieldDescriptor* field,
                             Input* input) {
  const UsageRules rules(field->message_type());
  bool good = true;
  TOKENUSAGE_RETURN_IF_ERROR(ReadDocuments(
      input, [&](const std::string& json, std::int64_t line_number) {
        const absl::Status status = PrintCounts(field, rules, json);
        if (!status.ok()) {
          PrintErrorAt(*input, line_number, FromAbsl(status.message()));
        }
        good = good && status.ok();
        return absl::OkStatus();
      }));
  return good;
}

ExitCode RunExtract(const Flags& flags) {
  const auto dialect = GetDialect(flags.dialect);
  if (!dialect.ok()) return Finish(dialect.status());
  return ReadFiles(flags.files, [&](Input* input) {
    return ExtractFrom(**dialect, flags.counts, input);
  });
}

ExitCode RunCount(const Flags& flags) {
  const auto field = FindUsageField(flags.message);
  if (!field.ok()) return Finish(field.status());
  return ReadFiles(flags.files,
                   [&](Input* input) { return CountIn(*field, input); });
}

ExitCode RunDialects() {
  std::vector<std::vector<std::string>> rows = {{"dialect", "message"}};
  for (const Dialect& dialect : Dialects()) {
    rows.push_back(
        {std::string(dialect.name),
         std::string(dialect.usage_field->message_type()->full_name())});
  }
  PrintData(FormatTable(rows, /*first_number_column=*/2));
  return kExitOk;
}

CLI::App* AddFileCommand(CLI::App* app, const char* name, const char* about,
                         const char* footer, Flags* flags) {
  CLI::App* command = AddSubcommand(app, name, about, footer);
  command->add_option("FILE", flags->files, "The inputs; - is standard input")
      ->default_val(std::vector<std::string>{"-"});
  return command;
}

}  // namespace

Command AddExtractCommand(CLI::App* app) {
  auto flags = std::make_shared<Flags>();
  CLI::App* command = AddFileCommand(
      app, "extract", "Find the usage in providers' responses and streams",
      kExtractFooter, flags.get());
  command
      ->add_option("--dialect", flags->dialect,
                   "The provider and its endpoint: see tokenusage dialects")
      ->required();
  command->add_flag("--counts", flags->counts,
                    "Print what the usage counts instead of records");
  return {command, [flags] { return RunExtract(*flags); }};
}

Command AddCountCommand(CLI::App* app) {
  auto flags = std::make_shared<Flags>();
  CLI::App* command =
      AddFileCommand(app, "count", "Print what providers' usage objects count",
                     kCountFooter, flags.get());
  command
      ->add_option("--message", flags->message,
                   "The usage message's full name, or the end of it, such as "
                   "openai.v1.ChatUsage")
      ->required();
  return {command, [flags] { return RunCount(*flags); }};
}

Command AddDialectsCommand(CLI::App* app) {
  CLI::App* command = app->add_subcommand(
      "dialects", "List the dialects, and the messages of their usage");
  return {command, RunDialects};
}

}  // namespace tokenusage
