// SPDX-License-Identifier: Apache-2.0

// Counts calls, their time and the size of their messages, under the names of
// gRPC's own metrics (grpc.server.call.*; gRFC A66), which gRPC 1.51 lacks.
//
//   CallCounterFactory(&registry, {/*raw=*/{"my.v1.Service/Method"},
//                                  /*other=*/{"grpc.health.v1.Health/Check"}})

#ifndef TOKENUSAGE_SERVICE_METRICS_CALL_COUNTER_H_
#define TOKENUSAGE_SERVICE_METRICS_CALL_COUNTER_H_

#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "grpcpp/support/server_interceptor.h"
#include "grpcpp/support/status_code_enum.h"
#include "prometheus/counter.h"
#include "prometheus/histogram.h"
#include "prometheus/registry.h"

namespace tokenusage {

// Returns the bounds of histograms of the durations of calls.
const prometheus::Histogram::BucketBoundaries& SecondsBuckets();

// Keeps a histogram for each status with which calls of a method end. `family`
// and `buckets` must outlive it. Thread-safe.
class HistogramByStatus {
 public:
  HistogramByStatus(std::string method,
                    prometheus::Family<prometheus::Histogram>* family,
                    const prometheus::Histogram::BucketBoundaries& buckets)
      : method_(std::move(method)), family_(*family), buckets_(buckets) {}

  void Observe(grpc::StatusCode code, double value);

 private:
  const std::string method_;
  prometheus::Family<prometheus::Histogram>& family_;
  const prometheus::Histogram::BucketBoundaries& buckets_;
  // By status code; null until a call ended with it.
  std::array<std::atomic<prometheus::Histogram*>, 17> by_code_ = {};
};

// The metrics of one method. Thread-safe.
struct MethodMetrics {
  prometheus::Counter& started;
  HistogramByStatus seconds;
  // Per call, all messages together, without framing. Both set, or neither.
  std::optional<HistogramByStatus> sent_bytes;
  std::optional<HistogramByStatus> received_bytes;
};

// Thread-safe.
class CallCounterFactory final
    : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  // Full names, without the leading slash.
  struct Methods {
    std::vector<std::string> raw;    // their messages are grpc::ByteBuffer
    std::vector<std::string> other;  // their messages are not measured
  };

  // Counts each of `methods`, and all others together as `other`: callers may
  // invent names, and each would take memory permanently. `registry` must
  // outlive the factory, and the factory every call.
  CallCounterFactory(prometheus::Registry* registry, const Methods& methods);

  grpc::experimental::Interceptor* CreateServerInterceptor(
      grpc::experimental::ServerRpcInfo* info) override;

 private:
  std::map<std::string, std::unique_ptr<MethodMetrics>, std::less<>> methods_;
  MethodMetrics* other_;  // of methods_
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_METRICS_CALL_COUNTER_H_
