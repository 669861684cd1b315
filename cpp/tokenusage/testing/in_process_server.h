// SPDX-License-Identifier: Apache-2.0

// A real server in the process of a test, on a free loopback port, with a store
// in memory.
//
//   absl::StatusOr<std::unique_ptr<InProcessServer>> server =
//       InProcessServer::Start();
//   auto stub = tokenusage::v1::UsageReportingService::NewStub(
//       (*server)->NewChannel());
//
// For tests only: nothing survives the object.

#ifndef TOKENUSAGE_TESTING_IN_PROCESS_SERVER_H_
#define TOKENUSAGE_TESTING_IN_PROCESS_SERVER_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "grpcpp/channel.h"
#include "tokenusage/service/usage_server.h"
#include "tokenusage/store/usage_store.h"

namespace tokenusage {

// Thread-safe.
class InProcessServer {
 public:
  // Errors: UNAVAILABLE if it cannot listen on a port.
  static absl::StatusOr<std::unique_ptr<InProcessServer>> Start(
      UsageReportingServiceOptions options = {});

  // host:port.
  std::string address() const;

  // A new plain-text channel to the server.
  std::shared_ptr<grpc::Channel> NewChannel() const;

  // The server's store.
  UsageStore& store() { return *store_; }

 private:
  InProcessServer() = default;

  std::unique_ptr<UsageStore> store_;
  std::unique_ptr<UsageServer> server_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_TESTING_IN_PROCESS_SERVER_H_
