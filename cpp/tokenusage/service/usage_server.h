// The whole server: UsageReportingService on a port.
//
//   UsageServerOptions options;
//   options.address = "127.0.0.1:8105";
//   absl::StatusOr<std::unique_ptr<UsageServer>> server =
//       UsageServer::Start(store.get(), options);
//   ...
//   (*server)->Shutdown(absl::Seconds(10));

#ifndef TOKENUSAGE_SERVICE_USAGE_SERVER_H_
#define TOKENUSAGE_SERVICE_USAGE_SERVER_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpcpp/server.h"
#include "tokenusage/service/usage_reporting_service.h"
#include "tokenusage/store/usage_store.h"

namespace tokenusage {

struct UsageServerOptions {
  // host:port, where the host is a loopback address (127.0.0.0/8, [::1] or
  // localhost) and port 0 takes a free one. The connection is plain text and
  // every caller has every right, hence loopback only.
  std::string address = "127.0.0.1:8105";

  UsageReportingServiceOptions service;
};

// Thread-safe.
class UsageServer {
 public:
  // Starts to serve `store`, which must outlive the server.
  //
  // Errors: INVALID_ARGUMENT, the address is not a loopback host:port;
  // UNAVAILABLE, it cannot be listened on, most likely since another process
  // does.
  static absl::StatusOr<std::unique_ptr<UsageServer>> Start(
      UsageStore* store, UsageServerOptions options);

  // Shuts down at once where Shutdown was not called.
  ~UsageServer();

  UsageServer(const UsageServer&) = delete;
  UsageServer& operator=(const UsageServer&) = delete;

  // The port that the server listens on.
  int port() const { return port_; }

  // Takes no new calls, waits at most `drain` for those under way, cancels the
  // rest, and returns when all are finished.
  void Shutdown(absl::Duration drain);

 private:
  UsageServer(UsageStore* store, UsageReportingServiceOptions options)
      : service_(store, std::move(options)) {}

  UsageReportingServiceImpl service_;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
};

// INVALID_ARGUMENT unless `address` is host:port with a loopback host.
absl::Status CheckLoopbackAddress(const std::string& address);

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_USAGE_SERVER_H_
