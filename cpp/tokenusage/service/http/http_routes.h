// SPDX-License-Identifier: Apache-2.0

// Maps paths to handlers.

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

class HttpRoutes final : public HttpHandler {
 public:
  // Both must outlive this.
  HttpRoutes(const HttpServerOptions& options,
             UsageReportingServiceImpl* service);

  std::optional<HttpResponse> CheckHeader(const HttpHeader& header,
                                          const HttpPeer& peer) override;
  HttpResponse RefuseBody(std::size_t max_bytes, std::uint64_t bytes) override;
  void Handle(std::shared_ptr<HttpExchange> exchange) override;

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
