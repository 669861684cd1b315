// SPDX-License-Identifier: Apache-2.0

// One connection over HTTP/1.1: reads a request, passes it to the routes,
// writes the response, and starts over.

#ifndef TOKENUSAGE_SERVICE_HTTP_HTTP_CONNECTION_H_
#define TOKENUSAGE_SERVICE_HTTP_HTTP_CONNECTION_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

#include "absl/time/clock.h"
#include "boost/asio/ip/tcp.hpp"
#include "openssl/ssl.h"
#include "tokenusage/service/http/http_routes.h"
#include "tokenusage/service/http/http_server.h"

namespace tokenusage {

class HttpConnection;

// Callbacks to the server, from any thread. They must not block.
struct HttpConnectionEvents {
  // Called when the connection holds `bytes` more, or fewer if negative, of a
  // body that has not arrived in full.
  std::function<void(std::int64_t bytes)> on_pending;

  // `on_call` is called twice before a request is passed on; `on_answer` once
  // when the service is done with the request, and once when the response has
  // been written or given up.
  std::function<void()> on_call;
  std::function<void()> on_answer;

  // Called by the destructor.
  std::function<void(HttpConnection*)> on_closed;
};

// Thread-safe.
class HttpConnection {
 public:
  virtual ~HttpConnection() = default;

  // Starts the TLS handshake, or reading.
  virtual void Start() = 0;

  // Closes the connection; a request in progress is cancelled.
  virtual void Close() = 0;

  // Closes the connection once it has no request in progress.
  virtual void Drain() = 0;

  // State that the server may read at any time.
  struct State {
    std::atomic<bool> is_idle{true};
    std::atomic<std::int64_t> pending_bytes{0};
    std::atomic<std::int64_t> idle_since_nanos{absl::GetCurrentTimeNanos()};
  };
  const State& state() const { return state_; }

 protected:
  State state_;
};

// Creates a connection. `tls` is null for plain text. `options`, `routes` and
// `events` must outlive the connection.
std::shared_ptr<HttpConnection> NewHttpConnection(
    boost::asio::ip::tcp::socket socket, const std::shared_ptr<SSL_CTX>& tls,
    const HttpServerOptions& options, HttpRoutes* routes,
    const HttpConnectionEvents& events);

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_HTTP_HTTP_CONNECTION_H_
