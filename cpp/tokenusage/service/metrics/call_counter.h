// Counts and times calls, under the names that gRPC's own metrics have
// (grpc.server.call.started, grpc.server.call.duration; gRFC A66), which
// gRPC 1.51 does not make itself.
//
//   CallCounterFactory(&registry, {"grpc.health.v1.Health/Check"})

#ifndef TOKENUSAGE_SERVICE_METRICS_CALL_COUNTER_H_
#define TOKENUSAGE_SERVICE_METRICS_CALL_COUNTER_H_

#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

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
  // Counts each of `methods`, which are named without the slash before them,
  // and all others together as `other`: callers make up names, and each would
  // take memory for good. `registry` must outlive the factory, and the factory
  // every call.
  CallCounterFactory(prometheus::Registry* registry,
                     const std::vector<std::string>& methods);

  grpc::experimental::Interceptor* CreateServerInterceptor(
      grpc::experimental::ServerRpcInfo* info) override;

 private:
  std::map<std::string, std::unique_ptr<MethodMetrics>, std::less<>> methods_;
  std::unique_ptr<MethodMetrics> other_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_METRICS_CALL_COUNTER_H_
