// SPDX-License-Identifier: Apache-2.0

#include <string>

#include "absl/strings/str_cat.h"
#include "google/protobuf/stubs/common.h"
#include "grpcpp/grpcpp.h"
#include "sqlite3.h"
#include "tokenusage/cli/commands.h"
#include "tokenusage/cli/exit_code.h"
#include "tokenusage/cli/terminal.h"
#include "tokenusage/cli/version.h"

namespace tokenusage {
namespace {

// Formats GOOGLE_PROTOBUF_VERSION, which is 3021012 for 3.21.12.
std::string ProtobufVersion() {
  return absl::StrCat(GOOGLE_PROTOBUF_VERSION / 1000000, ".",
                      GOOGLE_PROTOBUF_VERSION / 1000 % 1000, ".",
                      GOOGLE_PROTOBUF_VERSION % 1000);
}

}  // namespace

Command AddVersionCommand(CLI::App* app) {
  CLI::App* command = app->add_subcommand(
      "version", "Print the versions of tokenusage and its libraries");
  command->footer("");  // Otherwise it would inherit the program's.
  return {
      command, [] {
        PrintData(absl::StrCat("tokenusage ", kVersion, " (protobuf ",
                               ProtobufVersion(), ", gRPC ", grpc::Version(),
                               ", SQLite ", sqlite3_libversion(), ")\n"));
        return kExitOk;
      }};
}

}  // namespace tokenusage
