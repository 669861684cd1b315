// SPDX-License-Identifier: Apache-2.0

// Serves metrics over HTTP, at /metrics, to a Prometheus server on the same
// machine.
//
//   auto endpoint = MetricsEndpoint::Start("127.0.0.1:9464", metrics, store);
//   if (!endpoint.ok()) return endpoint.status();

#ifndef TOKENUSAGE_SERVICE_METRICS_METRICS_ENDPOINT_H_
#define TOKENUSAGE_SERVICE_METRICS_METRICS_ENDPOINT_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "prometheus/exposer.h"
#include "tokenusage/service/metrics/server_metrics.h"
#include "tokenusage/store/usage_store.h"

namespace tokenusage {

// Stops when it is destroyed, which takes up to two seconds.
class MetricsEndpoint {
 public:
  // `address` is a loopback host:port; port 0 takes a free one. Also serves the
  // store's StoreStats; `store` must outlive the endpoint, or LeaveStore must
  // be called first.
  //
  // Errors: INVALID_ARGUMENT if it is not a loopback address; UNAVAILABLE, with
  // the reason, if it cannot be listened on.
  static absl::StatusOr<std::unique_ptr<MetricsEndpoint>> Start(
      const std::string& address, std::shared_ptr<ServerMetrics> metrics,
      const UsageStore* store);

  int port() const { return port_; }

  // Stops reading the store.
  void LeaveStore();

 private:
  class StoreStatsCollectable;

  MetricsEndpoint() = default;

  std::shared_ptr<ServerMetrics> metrics_;
  std::shared_ptr<StoreStatsCollectable> store_stats_;
  std::unique_ptr<prometheus::Exposer> exposer_;  // destroyed first
  int port_ = 0;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_METRICS_METRICS_ENDPOINT_H_
