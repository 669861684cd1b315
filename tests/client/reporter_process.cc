// SPDX-License-Identifier: Apache-2.0

// A process that reports until it is killed, for process_test:
//
//   reporter_process SERVER FOLDER process|disk FIRST COUNT
//
// Reports the records FIRST, FIRST + 1 and so on, COUNT in all, and prints the
// number of each for which Report returned OK. Then waits until all are stored.

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>

#include "tests/client/support/fakes.h"
#include "tokenusage/client/grpc_transport.h"
#include "tokenusage/client/usage_reporter.h"

namespace tokenusage {
namespace {

absl::Status Run(char** arguments) {
  GrpcTransportOptions connection;
  connection.servers = {arguments[1]};
  auto transport = NewGrpcTransport(connection);
  if (!transport.ok()) return transport.status();
  UsageReporterOptions options;
  options.project = "demo";
  options.spool_folder = arguments[2];
  options.durability = std::string(arguments[3]) == "disk"
                           ? Durability::kDisk
                           : Durability::kProcess;
  options.max_batch_age = absl::Milliseconds(2);
  options.max_batch_records = 50;
  options.max_retry_delay = absl::Milliseconds(200);
  auto reporter =
      UsageReporter::Start(std::move(options), *std::move(transport));
  if (!reporter.ok()) return reporter.status();
  const int first = std::atoi(arguments[4]);
  for (int i = first; i < first + std::atoi(arguments[5]); ++i) {
    const absl::Status status = (*reporter)->Report(testing::NumberedRecord(i));
    if (!status.ok()) return status;
    std::printf("%d\n", i);
    std::fflush(stdout);
  }
  return (*reporter)->Stop(absl::Seconds(60));
}

}  // namespace
}  // namespace tokenusage

int main(int argc, char** argv) {
  if (argc != 6) return 64;
  const absl::Status status = tokenusage::Run(argv);
  if (!status.ok()) std::cerr << status << std::endl;
  return status.ok() ? 0 : 1;
}
