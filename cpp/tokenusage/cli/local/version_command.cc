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

// GOOGLE_PROTOBUF_VERSION is 3021012 for 3.21.12.
std::string ProtobufVersion() {
  return absl::StrCat(GOOGLE_PROTOBUF_VERSION / 1000000, ".",
                      GOOGLE_PROTOBUF_VERSION / 1000 % 1000, ".",
                      GOOGLE_PROTOBUF_VERSION % 1000);
}

}  // namespace

void AddVersionCommand(CLI::App* app, int* exit_code) {
  app->add_subcommand("version", "Print the versions of this build")
      ->footer("")
      ->callback([exit_code] {
        PrintData(absl::StrCat("tokenusage ", kVersion, " (protobuf ",
                               ProtobufVersion(), ", gRPC ", grpc::Version(),
                               ", SQLite ", sqlite3_libversion(), ")\n"));
        *exit_code = kExitOk;
      });
}

}  // namespace tokenusage
