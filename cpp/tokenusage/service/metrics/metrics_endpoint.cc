// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/metrics/metrics_endpoint.h"

#include <cstdint>
#include <exception>
#include <mutex>
#include <utility>
#include <vector>

#include "prometheus/client_metric.h"
#include "prometheus/collectable.h"
#include "prometheus/metric_family.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/service/server/listen_address.h"

namespace tokenusage {
namespace {

// With the defaults, two idle connections would block all others for half a
// minute.
constexpr char kThreads[] = "8";
constexpr char kRequestTimeoutMillis[] = "1000";

prometheus::MetricFamily GaugeOf(const std::string& name,
                                 const std::string& help, std::int64_t value) {
  prometheus::ClientMetric metric;
  metric.gauge.value = static_cast<double>(value);
  prometheus::MetricFamily family;
  family.name = name;
  family.help = help;
  family.type = prometheus::MetricType::Gauge;
  family.metric.push_back(std::move(metric));
  return family;
}

}  // namespace

// Read when metrics are collected, so that nothing is counted twice.
class MetricsEndpoint::StoreStatsCollectable final
    : public prometheus::Collectable {
 public:
  explicit StoreStatsCollectable(const UsageStore* store) : store_(store) {}

  std::vector<prometheus::MetricFamily> Collect() const override {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (store_ == nullptr) return {};
    const StoreStats stats = store_->Stats();
    return {
        GaugeOf("tokenusage_queue_batches", "Batches waiting for the store.",
                stats.queued_batches),
        GaugeOf("tokenusage_queue_bytes",
                "Estimated memory of the waiting batches.", stats.queued_bytes),
        GaugeOf("tokenusage_store_size_bytes", "The store's size on disk.",
                stats.size_bytes)};
  }

  void Leave() {
    const std::lock_guard<std::mutex> lock(mutex_);
    store_ = nullptr;
  }

 private:
  mutable std::mutex mutex_;
  const UsageStore* store_;  // guarded by mutex_
};

void MetricsEndpoint::LeaveStore() { store_stats_->Leave(); }

absl::StatusOr<std::unique_ptr<MetricsEndpoint>> MetricsEndpoint::Start(
    const std::string& address, std::shared_ptr<ServerMetrics> metrics,
    const UsageStore* store) {
  TOKENUSAGE_RETURN_IF_ERROR(CheckLoopbackAddress(address));
  std::unique_ptr<MetricsEndpoint> endpoint(new MetricsEndpoint);
  endpoint->metrics_ = std::move(metrics);
  endpoint->store_stats_ = std::make_shared<StoreStatsCollectable>(store);
  try {
    endpoint->exposer_ =
        std::make_unique<prometheus::Exposer>(std::vector<std::string>{
            "listening_ports", address, "num_threads", kThreads,
            "request_timeout_ms", kRequestTimeoutMillis});
    endpoint->exposer_->RegisterCollectable(endpoint->metrics_->registry());
    endpoint->exposer_->RegisterCollectable(endpoint->store_stats_);
    endpoint->port_ = endpoint->exposer_->GetListeningPorts().at(0);
  } catch (const std::exception&) {  // it does not say why
    return ListenError(address);
  }
  return endpoint;
}

}  // namespace tokenusage
