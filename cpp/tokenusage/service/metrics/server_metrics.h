// SPDX-License-Identifier: Apache-2.0

// What the server counts, for Prometheus.
//
//   auto metrics = std::make_shared<ServerMetrics>("1.0.0");
//   metrics->OnReport(response);
//   auto endpoint = MetricsEndpoint::Start("127.0.0.1:9464", metrics, store);
//
// docs/operations.md names every metric.

#ifndef TOKENUSAGE_SERVICE_METRICS_SERVER_METRICS_H_
#define TOKENUSAGE_SERVICE_METRICS_SERVER_METRICS_H_

#include <memory>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "grpcpp/support/server_interceptor.h"
#include "prometheus/counter.h"
#include "prometheus/gauge.h"
#include "prometheus/histogram.h"
#include "prometheus/registry.h"
#include "tokenusage/v1/usage_reporting_service.pb.h"

namespace tokenusage {

// Thread-safe; no method blocks for long.
class ServerMetrics {
 public:
  explicit ServerMetrics(const std::string& version);

  // The answer to a batch.
  void OnReport(const v1::ReportUsageResponse& response);

  // A commit of the store, and how long it took.
  void OnCommit(absl::Duration time);

  void OnHealthChange(bool healthy);

  // How many connections are open.
  void OnConnectionCount(int count);

  // A connection was closed because of the limits.
  void OnConnectionClosed();

  // A file, `identities` or `certificates`, was read again, or could not be.
  void OnReload(const std::string& what, bool ok);

  // When the certificate that is served expires.
  void OnCertificate(absl::Time expires);

  // Counts calls by method and status, and their time, as gRPC's own metrics
  // do. The metrics must outlive the server that it is given to.
  std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>
  NewCallCounter();

  const std::shared_ptr<prometheus::Registry>& registry() const {
    return registry_;
  }

 private:
  const std::shared_ptr<prometheus::Registry> registry_;
  prometheus::Counter& stored_;
  prometheus::Counter& duplicate_;
  prometheus::Family<prometheus::Counter>& refused_;
  prometheus::Histogram& commit_;
  prometheus::Gauge& healthy_;
  prometheus::Gauge& connections_;
  prometheus::Counter& connections_closed_;
  prometheus::Family<prometheus::Counter>& reloads_;
  prometheus::Family<prometheus::Gauge>& certificate_expiry_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_METRICS_SERVER_METRICS_H_
