// SPDX-License-Identifier: Apache-2.0

// Checks requests, and answers them by their paths.

#ifndef TOKENUSAGE_SERVICE_HTTP_HTTP_ROUTES_H_
#define TOKENUSAGE_SERVICE_HTTP_HTTP_ROUTES_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "tokenusage/service/http/http_exchange.h"
#include "tokenusage/service/http/http_server.h"
#include "tokenusage/service/usage_reporting_service.h"

namespace tokenusage {

// Thread-safe.
class HttpRoutes {
 public:
  // Both must outlive this.
  HttpRoutes(const HttpServerOptions& options,
             UsageReportingServiceImpl* service);

  // Checks the header of a request. Returns a response to refuse it; then its
  // body is not read.
  std::optional<HttpResponse> CheckHeader(const HttpHeader& header,
                                          const HttpPeer& peer) const;

  // Returns the response to a request whose body is longer than `max_bytes`.
  static HttpResponse RefuseBody(std::size_t max_bytes, std::uint64_t bytes);

  // Handles a request that has arrived in full.
  void Handle(std::shared_ptr<HttpExchange> exchange);

  // Answers all later calls with UNAVAILABLE.
  void BeginDrain() { is_draining_ = true; }

 private:
  std::optional<HttpResponse> CheckCall(const HttpHeader& header,
                                        const HttpPeer& peer) const;
  absl::Status CheckMetrics(const HttpHeader& header,
                            const HttpPeer& peer) const;
  HttpResponse Document(std::string_view path) const;

  const HttpServerOptions& options_;
  UsageReportingServiceImpl& service_;
  const bool check_host_;
  std::atomic<bool> is_draining_{false};
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_HTTP_HTTP_ROUTES_H_
