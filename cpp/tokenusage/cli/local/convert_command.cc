// SPDX-License-Identifier: Apache-2.0

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "google/protobuf/text_format.h"
#include "tokenusage/base/excerpt.h"
#include "tokenusage/base/protobuf_compat.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/cli/commands.h"
#include "tokenusage/cli/exit_code.h"
#include "tokenusage/cli/input.h"
#include "tokenusage/cli/message_types.h"
#include "tokenusage/cli/terminal.h"
#include "tokenusage/json/json.h"

namespace tokenusage {
namespace {

using google::protobuf::Message;

constexpr char kFooter[] = R"(
By default it reads JSON and prints JSON, so that it checks and normalises. On bad
input nothing is printed on stdout, and one line on stderr says what is wrong and
where. Members that the message does not declare are dropped; --strict refuses them.
A UsageRecord is checked as a message, not by the service's rules for records.

Examples:
  tokenusage convert --message=PostV2ProxyImagesEditsUsage usage.json
  tokenusage convert --message=PostV2ProxyImagesEditsUsage --to=text < usage.json
  tokenusage convert --message=UsageRecord --from=binary record.pb)";

constexpr std::size_t kMaxTextErrorChars = 200;
constexpr std::size_t kMaxInputBytes = 64 << 20;

struct ConvertFlags {
  std::string message;
  std::string from = "json";
  std::string to = "json";
  bool strict = false;
  std::string file = "-";
};

absl::Status ParseText(const std::string& input, Message* message) {
  ProtoTextError error;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  if (parser.ParseFromString(input, message)) return absl::OkStatus();
  // In the form of our JSON errors.
  return absl::InvalidArgumentError(
      absl::StrCat(Excerpt(error.message(), kMaxTextErrorChars), " (line ",
                   error.line(), ", column ", error.column(), ")"));
}

absl::Status ParseAs(const std::string& format, bool strict,
                     const std::string& input, Message* message) {
  if (format == "json") return ParseJson(input, message, {strict});
  if (format == "text") return ParseText(input, message);
  if (message->ParseFromString(input)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("expected a ", message->GetTypeName(),
                   " in protobuf's binary form, found other bytes"));
}

absl::StatusOr<std::string> WriteAs(const std::string& format,
                                    const Message& message) {
  if (format == "binary") return message.SerializeAsString();
  std::string line;
  if (format == "text") {
    google::protobuf::TextFormat::Printer printer;
    printer.SetSingleLineMode(true);
    if (!printer.PrintToString(message, &line)) {
      return absl::InternalError("the message could not be written as text");
    }
    if (!line.empty() && line.back() == ' ') line.pop_back();
  } else {
    TOKENUSAGE_RETURN_IF_ERROR(AppendJson(message, &line));
  }
  return line + "\n";
}

// The status's message, with the input's name in front where the input is at
// fault.
absl::Status Convert(const ConvertFlags& flags, const Message& prototype) {
  TOKENUSAGE_ASSIGN_OR_RETURN(Input input, Input::Open(flags.file));
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::string content,
                              input.ReadAll(kMaxInputBytes));
  const std::unique_ptr<Message> message(prototype.New());
  absl::Status status =
      ParseAs(flags.from, flags.strict, content, message.get());
  absl::StatusOr<std::string> output;
  if (status.ok()) {
    output = WriteAs(flags.to, *message);
    status = output.status();
  }
  if (!status.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(input.name(), ": ", status.message()));
  }
  PrintData(*output);
  return absl::OkStatus();
}

int RunConvert(const ConvertFlags& flags) {
  const auto prototype = FindMessageType(flags.message);
  if (!prototype.ok()) {
    PrintError(std::string(prototype.status().message()));
    return kExitBadInput;
  }
  const absl::Status status = Convert(flags, **prototype);
  if (!status.ok()) PrintError(std::string(status.message()));
  return ExitCodeFor(status);
}

}  // namespace

void AddConvertCommand(CLI::App* app, int* exit_code) {
  auto flags = std::make_shared<ConvertFlags>();
  CLI::App* command = app->add_subcommand(
      "convert", "Check a message and print it in another form");
  command->footer(kFooter);
  command
      ->add_option("--message", flags->message,
                   "The message's full name, or its last part")
      ->required();
  const auto formats = CLI::IsMember({"json", "binary", "text"});
  command->add_option("--from", flags->from, "The input's form")
      ->check(formats)
      ->capture_default_str();
  command->add_option("--to", flags->to, "The output's form")
      ->check(formats)
      ->capture_default_str();
  command->add_flag("--strict", flags->strict,
                    "Refuse JSON members that the message does not declare");
  command->add_option("FILE", flags->file, "The input; - is standard input")
      ->capture_default_str();
  command->callback([flags, exit_code] { *exit_code = RunConvert(*flags); });
}

}  // namespace tokenusage
