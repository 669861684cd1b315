// SPDX-License-Identifier: Apache-2.0

// The whole server: UsageReportingService on a port, with gRPC's health
// service.
//
//   UsageServerOptions options;
//   options.address = "127.0.0.1:8105";
//   absl::StatusOr<std::unique_ptr<UsageServer>> server =
//       UsageServer::Start(store.get(), options);
//   ...
//   (*server)->Shutdown(absl::Seconds(10));
//
// A process whose port strangers can reach calls BoundReadsOfProcess() first.

#ifndef TOKENUSAGE_SERVICE_USAGE_SERVER_H_
#define TOKENUSAGE_SERVICE_USAGE_SERVER_H_

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "tokenusage/service/grpc_service.h"
#include "tokenusage/service/metrics/server_metrics.h"
#include "tokenusage/service/rpc/health_calls.h"
#include "tokenusage/service/server/connection_guard.h"
#include "tokenusage/service/server/connection_limits.h"
#include "tokenusage/service/server/health_monitor.h"
#include "tokenusage/service/server/repeater.h"
#include "tokenusage/service/server/transport_limits.h"
#include "tokenusage/service/tls/reloading_credentials.h"
#include "tokenusage/service/usage_reporting_service.h"
#include "tokenusage/store/usage_store.h"

namespace tokenusage {

struct UsageServerOptions {
  // host:port; port 0 takes a free one. Without TLS the host must be a
  // loopback address: 127.0.0.0/8, [::1] or localhost.
  std::string address = "127.0.0.1:8105";

  // TLS for all connections. Null: plain text.
  std::shared_ptr<ReloadingCredentials> tls;

  // Serves plain text on any address: anyone on the network path can read and
  // alter traffic, tokens included.
  bool insecure_plaintext_on_any_address = false;

  // Serves gRPC reflection, which shows the schema to every caller.
  bool reflection = false;

  // Counts calls, records and health. May be null.
  std::shared_ptr<ServerMetrics> metrics;

  // The interval at which a store that failed is polled for its recovery.
  absl::Duration recovery_interval = absl::Seconds(1);

  // Called when connections cannot be accepted, for lack of descriptors or
  // memory, and when they can again. From any thread; must not block.
  std::function<void(bool is_accepting)> on_accepting = [](bool) {};

  // Called when a TLS connection ended without a call: most likely its
  // handshake failed. From one thread; must not block.
  std::function<void(const std::string& peer)> on_unused_connection =
      [](const std::string&) {};

  // Called when the store fails and when it has recovered, from one thread.
  std::function<void(const HealthChange&)> on_health_change =
      [](const HealthChange&) {};

  UsageReportingServiceOptions service;

  TransportLimits limits;
  ConnectionLimits connections;
};

// gRPC's health service answers for "" (the server) and for
// "tokenusage.v1.UsageReportingService": NOT_SERVING from a failure of the
// store until it accepts writes again, while connections cannot be accepted,
// and while the server shuts down. It needs no credentials.
//
// Thread-safe.
class UsageServer {
 public:
  // Starts serving `store`, which must outlive the server.
  //
  // Errors: INVALID_ARGUMENT if the address is not host:port, or may not be
  // served without TLS; UNAVAILABLE, with the reason, if it cannot be listened
  // on.
  static absl::StatusOr<std::unique_ptr<UsageServer>> Start(
      UsageStore* store, UsageServerOptions options);

  // Shuts down at once if Shutdown was not called.
  ~UsageServer();

  UsageServer(const UsageServer&) = delete;
  UsageServer& operator=(const UsageServer&) = delete;

  // Returns the port that the server listens on.
  int port() const { return guard_->port(); }

  // Returns the service, for other transports: their calls must have ended
  // before the server is destroyed.
  UsageReportingServiceImpl* service() { return &service_; }

  // Returns whether gRPC's health service answers SERVING.
  bool is_serving();

  // Notes that another transport's listener cannot accept connections, or can
  // again: the server is NOT_SERVING meanwhile. Call it for each change.
  void OnAccepting(bool is_accepting);

  // Ends the streams, then takes no new calls and closes idle connections.
  // Waits at most `drain` for all calls in progress, cancels the rest, and
  // returns when they are finished.
  void Shutdown(absl::Duration drain);

 private:
  UsageServer(UsageStore* store, UsageServerOptions options);

  class IdentificationWatch;

  UsageReportingServiceOptions ServiceOptions();
  ConnectionGuard::Events GuardEvents();
  absl::Status Listen();
  void OnHealthChange(const HealthChange& change);
  // Returns whether the server is serving. Called with serving_mutex_ held, as
  // is UpdateServing, which tells gRPC.
  bool IsServing() const;
  void UpdateServing();

  const UsageServerOptions options_;

  std::mutex serving_mutex_;
  bool draining_ = false;  // guarded by serving_mutex_, as are those below
  bool store_is_healthy_ = true;
  int deaf_listeners_ = 0;  // those that cannot accept connections

  UsageReportingServiceImpl service_;
  GrpcService grpc_service_{&service_};
  HealthCalls health_calls_;
  std::unique_ptr<ConnectionGuard> guard_;  // outlives the server
  std::unique_ptr<grpc::Server> server_;
  HealthMonitor health_;
  Repeater health_thread_;  // last: it uses the members above
};

// Returns INVALID_ARGUMENT unless the address may be served: any with TLS or
// with insecure_plaintext_on_any_address, otherwise only loopback addresses.
absl::Status CheckServedAddress(const UsageServerOptions& options);

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_USAGE_SERVER_H_
