// SPDX-License-Identifier: Apache-2.0

// A real server in the process of a test, on a loopback port.
//
//   absl::StatusOr<std::unique_ptr<InProcessServer>> server =
//       InProcessServer::Start();
//   auto stub = tokenusage::v1::UsageReportingService::NewStub(
//       (*server)->NewChannel());
//
// It can be stopped and started again, and made to fail:
//
//   (*server)->Stop();
//   TOKENUSAGE_RETURN_IF_ERROR((*server)->StartAgain());
//   (*server)->FailReports(absl::UnavailableError("the disk is full"));

#ifndef TOKENUSAGE_TESTING_IN_PROCESS_SERVER_H_
#define TOKENUSAGE_TESTING_IN_PROCESS_SERVER_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpcpp/channel.h"
#include "tokenusage/service/tls/reloading_credentials.h"
#include "tokenusage/service/usage_server.h"
#include "tokenusage/store/usage_store.h"

namespace tokenusage {

struct InProcessServerOptions {
  // host:port; port 0 picks a free port, which later starts use again.
  std::string address = "127.0.0.1:0";

  // The store, which must outlive the server. Null: a new one in memory, which
  // outlives Stop.
  UsageStore* store = nullptr;

  // Returns the port's credentials; called at each start. Make them from the
  // result of LoadCertificateSet or CheckCertificates. Null: plaintext.
  std::function<std::shared_ptr<ReloadingCredentials>()> tls;

  // Identities, limits and so on.
  UsageReportingServiceOptions service;
};

// For tests only. Thread-safe, except that one thread at a time may call Stop
// and StartAgain.
class InProcessServer {
 public:
  // Starts a server. Errors: those of UsageServer::Start, such as UNAVAILABLE
  // if it cannot listen on the port.
  static absl::StatusOr<std::unique_ptr<InProcessServer>> Start(
      InProcessServerOptions options = {});

  // Stops the server at once.
  ~InProcessServer();

  // Returns host:port, the same after each start.
  std::string address() const { return options_.address; }

  // Returns a new plaintext channel to the server; with TLS, make your own.
  std::shared_ptr<grpc::Channel> NewChannel() const;

  // Returns the server's store, which FailReports does not affect.
  UsageStore& store();

  // Stops the server: waits at most `drain` for calls in progress, and cancels
  // the rest.
  void Stop(absl::Duration drain = absl::ZeroDuration());

  // Starts the server again. Errors: as for Start.
  absl::Status StartAgain();

  // Fails each report as if the store had answered with `error`: UNAVAILABLE
  // becomes STORE_FAILED, RESOURCE_EXHAUSTED becomes SERVER_BUSY (on streams
  // STORE_FAILED), DATA_LOSS becomes STORE_DAMAGED. If `is_stored`, the records
  // are stored all the same. Queries, lists and gets still succeed; to fail
  // those, pass your own `store`. UsageStore::CheckWritable, which the server's
  // health depends on, fails too. OK ends the failures; after DATA_LOSS, the
  // server's health stays NOT_SERVING until StartAgain.
  void FailReports(absl::Status error, bool is_stored = false);

 private:
  class FaultyStore;

  explicit InProcessServer(InProcessServerOptions options);

  InProcessServerOptions options_;
  const std::unique_ptr<FaultyStore> store_;
  std::unique_ptr<UsageServer> server_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_TESTING_IN_PROCESS_SERVER_H_
