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

using ::google::protobuf::Message;

constexpr char kFooter[] = R"(
By default it reads JSON and prints JSON: it checks and normalises. On bad input it
prints nothing to stdout, and one line to stderr that says what is wrong and where.
Members that the message does not declare are dropped; --strict refuses them. A
UsageRecord is checked as a message, not by the service's rules for records.

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
  std::string file;
};

absl::Status ParseText(const std::string& input, Message* message) {
  ProtoTextError error;
  ::google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  if (parser.ParseFromString(input, message)) return absl::OkStatus();
  // Worded like the errors of ParseJson.
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
                   " in protobuf's binary encoding, found other bytes"));
}

absl::StatusOr<std::string> WriteAs(const std::string& format,
                                    const Message& message) {
  if (format == "binary") return message.SerializeAsString();
  std::string line;
  if (format == "text") {
    ::google::protobuf::TextFormat::Printer printer;
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

// Converts the input. An error of the input starts with its name.
absl::Status Convert(const ConvertFlags& flags) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const Message* prototype,
                              FindMessageType(flags.message));
  TOKENUSAGE_ASSIGN_OR_RETURN(Input input, Input::Open(flags.file));
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::string content,
                              input.ReadAll(kMaxInputBytes));
  const std::unique_ptr<Message> message(prototype->New());
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

}  // namespace

Command AddConvertCommand(CLI::App* app) {
  auto flags = std::make_shared<ConvertFlags>();
  CLI::App* command = AddSubcommand(
      app, "convert", "Check a message, and print it in another encoding",
      kFooter);
  command
      ->add_option("--message", flags->message,
                   "The message's full name, or its last part")
      ->required();
  const auto formats = CLI::IsMember({"json", "binary", "text"});
  command->add_option("--from", flags->from, "The input's encoding")
      ->check(formats)
      ->capture_default_str();
  command->add_option("--to", flags->to, "The output's encoding")
      ->check(formats)
      ->capture_default_str();
  command->add_flag("--strict", flags->strict,
                    "Refuse JSON members that the message does not declare");
  AddFileArgument(command, &flags->file);
  return {command, [flags] { return Finish(Convert(*flags)); }};
}

}  // namespace tokenusage
