// Counts and times calls, under the names that gRPC's own metrics have
// (grpc.server.call.started, grpc.server.call.duration; gRFC A66), which
// gRPC 1.51 does not make itself.

#ifndef TOKENUSAGE_SERVICE_METRICS_CALL_COUNTER_H_
#define TOKENUSAGE_SERVICE_METRICS_CALL_COUNTER_H_

#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "grpcpp/support/server_interceptor.h"
#include "grpcpp/support/status_code_enum.h"
#include "prometheus/counter.h"
#include "prometheus/histogram.h"
#include "prometheus/registry.h"

namespace tokenusage {

// What is counted of one method. Thread-safe.
class MethodMetrics {
 public:
  MethodMetrics(std::string method,
                prometheus::Family<prometheus::Counter>* started,
                prometheus::Family<prometheus::Histogram>* duration);

  void OnStart() { started_.Increment(); }
  void OnEnd(grpc::StatusCode code, double seconds);

 private:
  const std::string method_;
  prometheus::Counter& started_;
  prometheus::Family<prometheus::Histogram>& duration_;
  // By status code; null until a call ended with it.
  std::array<std::atomic<prometheus::Histogram*>, 17> by_code_ = {};
};

// Thread-safe.
class CallCounterFactory final
    : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  // `registry` must outlive the factory, and the factory every call.
  explicit CallCounterFactory(prometheus::Registry* registry);

  grpc::experimental::Interceptor* CreateServerInterceptor(
      grpc::experimental::ServerRpcInfo* info) override;

 private:
  prometheus::Family<prometheus::Counter>& started_;
  prometheus::Family<prometheus::Histogram>& duration_;
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<MethodMetrics>, std::less<>> methods_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_METRICS_CALL_COUNTER_H_
