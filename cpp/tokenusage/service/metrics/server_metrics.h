// SPDX-License-Identifier: Apache-2.0

// The server's metrics, for Prometheus.
//
//   auto metrics = std::make_shared<ServerMetrics>("1.0.0");
//   metrics->OnReport(response);
//   std::string text = metrics->Text(*store);
//
// docs/monitoring.md names every metric.

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
#include "tokenusage/record/checked_record.h"
#include "tokenusage/store/usage_store.h"
#include "tokenusage/v1/usage_reporting_service.pb.h"

namespace tokenusage {

// Thread-safe; no method blocks for long.
class ServerMetrics {
 public:
  explicit ServerMetrics(const std::string& version);

  // Counts the records of an answer.
  void OnReport(const v1::ReportUsageResponse& response);

  // Counts a stored record whose usage contradicts itself or is not known.
  void OnStored(const CheckedRecord& record);

  // Counts a commit of the store, which took `time`.
  void OnCommit(absl::Duration time);

  void OnHealthChange(bool healthy);

  // Notes whether connections can be accepted.
  void OnAccepting(bool is_accepting);

  // Sets the number of open connections.
  void OnConnectionCount(int count);

  // Counts a connection that was closed because of the limits.
  void OnConnectionClosed();

  // Counts a reload of `identities` or `certificates`.
  void OnReload(const std::string& file, bool ok);

  // Sets the expiry of the server's certificate.
  void OnCertificate(absl::Time expires);

  // Returns a factory of interceptors that count calls, their time and the size
  // of their messages, by method and status. The metrics must outlive the
  // server that uses it.
  std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>
  NewCallCounter();

  // Counts a response over HTTP and its time, by route and status.
  void OnHttpResponse(std::string_view route, int status, absl::Duration time);

  // Returns the metrics and the store's StoreStats in Prometheus' text format.
  std::string Text(const UsageStore& store) const;

 private:
  prometheus::Registry registry_;
  prometheus::Counter& stored_;
  prometheus::Counter& duplicate_;
  prometheus::Family<prometheus::Counter>& refused_;
  prometheus::Counter& inconsistent_;
  prometheus::Family<prometheus::Counter>& unknown_usage_;
  prometheus::Histogram& commit_;
  prometheus::Family<prometheus::Histogram>& http_;
  prometheus::Gauge& healthy_;
  prometheus::Gauge& accepting_;
  prometheus::Gauge& connections_;
  prometheus::Counter& connections_closed_;
  prometheus::Family<prometheus::Counter>& reloads_;
  prometheus::Family<prometheus::Gauge>& certificate_expiry_;
  prometheus::Gauge& queue_batches_;
  prometheus::Gauge& queue_bytes_;
  prometheus::Gauge& store_bytes_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_METRICS_SERVER_METRICS_H_
