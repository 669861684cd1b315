// SPDX-License-Identifier: Apache-2.0

// Shows metrics over HTTP, at /metrics, to a Prometheus server on the same
// machine.

#ifndef TOKENUSAGE_SERVICE_METRICS_METRICS_ENDPOINT_H_
#define TOKENUSAGE_SERVICE_METRICS_METRICS_ENDPOINT_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "prometheus/exposer.h"
#include "tokenusage/service/metrics/server_metrics.h"
#include "tokenusage/store/usage_store.h"

namespace tokenusage {

// Stops with its end.
class MetricsEndpoint {
 public:
  // `address` is a loopback host:port, where the port may be 0. Besides the
  // metrics it shows what the store says of itself; `store` must outlive it, or
  // LeaveStore must be called first.
  //
  // Errors: INVALID_ARGUMENT, not a loopback address; UNAVAILABLE, it cannot be
  // listened on.
  static absl::StatusOr<std::unique_ptr<MetricsEndpoint>> Start(
      const std::string& address, std::shared_ptr<ServerMetrics> metrics,
      const UsageStore* store);

  int port() const { return port_; }

  // Asks the store no more. To stop altogether takes up to two seconds.
  void LeaveStore();

 private:
  class StoreStatsCollectable;

  MetricsEndpoint() = default;

  std::shared_ptr<ServerMetrics> metrics_;
  std::shared_ptr<StoreStatsCollectable> store_stats_;
  std::unique_ptr<prometheus::Exposer> exposer_;  // first to go
  int port_ = 0;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_METRICS_METRICS_ENDPOINT_H_
