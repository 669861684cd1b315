// SPDX-License-Identifier: Apache-2.0

// UsageReportingService over HTTP/1.1, by the Connect protocol's unary form,
// with the server's metrics, its health, and a page.
//
//   HttpServerOptions options;
//   options.address = "127.0.0.1:8106";
//   absl::StatusOr<std::unique_ptr<HttpServer>> http =
//       HttpServer::Start(server->service(), options);
//   ...
//   (*http)->BeginDrain();
//   server->Shutdown(absl::Seconds(10));
//   (*http)->Shutdown(absl::Now());

#ifndef TOKENUSAGE_SERVICE_HTTP_HTTP_SERVER_H_
#define TOKENUSAGE_SERVICE_HTTP_HTTP_SERVER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tokenusage/service/tls/reloading_credentials.h"
#include "tokenusage/service/usage_reporting_service.h"

namespace tokenusage {

struct HttpLimits {
  // Open connections. Beyond this limit, the one that has been idle for longest
  // is closed; if none is idle, the new one.
  int max_connections = 1024;

  // A request's line and headers, in bytes.
  std::uint32_t max_header_bytes = 16 << 10;

  // A request's body as it arrives, in bytes.
  std::size_t max_body_bytes = 2 << 20;

  // The bytes of bodies that have not arrived in full, of all connections
  // together. Beyond this limit, the connection that holds most is closed.
  std::int64_t max_pending_bytes = 48 << 20;

  // The next request of a connection must arrive in full within this time. It
  // covers idle connections, TLS handshakes, slow headers and slow bodies.
  absl::Duration max_request_time = absl::Minutes(1);

  // A response must be read within this time.
  absl::Duration max_answer_time = absl::Minutes(2);

  // The threads that read, parse and write. No call blocks them.
  int threads = 2;
};

struct HttpServerOptions {
  // host:port; port 0 takes a free one.
  std::string address = "127.0.0.1:8106";

  // TLS for all connections. Null: plain text.
  std::shared_ptr<ReloadingCredentials> tls;

  // If `address` is a loopback address, refuses requests whose Host is not one:
  // a page of another site could reach the server under a name of its own (DNS
  // rebinding). For servers that ask for no credentials.
  bool check_host = false;

  // Returns whether /healthz reports that the server is serving.
  std::function<bool()> is_serving = [] { return true; };

  // Called when connections cannot be accepted, for lack of descriptors or
  // memory, and when they can again; separately for each address that the host
  // resolves to. From any thread; must not block.
  std::function<void(bool is_accepting)> on_accepting = [](bool) {};

  // Returns the text of /metrics, in Prometheus' format. Null: no metrics.
  std::function<std::string()> metrics;

  // The page at /, in HTML, and its Content-Security-Policy. Empty: no page.
  std::string_view page;
  std::string page_policy;

  // Called with each response: its route (a path, or "other"), its status, and
  // the time it took. From any thread; must not block.
  std::function<void(std::string_view route, int status, absl::Duration time)>
      on_response = [](std::string_view, int, absl::Duration) {};

  // Called when a TLS handshake fails. From any thread; must not block.
  std::function<void(const std::string& peer)> on_failed_handshake =
      [](const std::string&) {};

  HttpLimits limits;
};

// Thread-safe.
class HttpServer {
 public:
  // Starts serving `service`, which must outlive the server.
  //
  // Errors: INVALID_ARGUMENT if the address is not host:port; UNAVAILABLE, with
  // the reason, if it cannot be listened on.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(
      UsageReportingServiceImpl* service, HttpServerOptions options);

  // Shuts down at once if Shutdown was not called.
  ~HttpServer();

  // Returns the port that the server listens on.
  int port() const;

  // Takes no new connections, closes idle ones, and answers calls whose header
  // arrives later with UNAVAILABLE. Returns at once.
  void BeginDrain();

  // Drains, waits at most until `deadline` for calls in progress, cancels the
  // rest, and returns when all are finished.
  void Shutdown(absl::Time deadline);

 private:
  class Impl;

  explicit HttpServer(std::unique_ptr<Impl> impl);

  const std::unique_ptr<Impl> impl_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_HTTP_HTTP_SERVER_H_
