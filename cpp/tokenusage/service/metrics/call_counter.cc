// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/metrics/call_counter.h"

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "google/protobuf/descriptor.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/status_code_enum.h"
#include "prometheus/counter.h"
#include "tokenusage/v1/usage_reporting_service.pb.h"

namespace tokenusage {
namespace {

using Buckets = prometheus::Histogram::BucketBoundaries;
using grpc::experimental::InterceptionHookPoints;

// Returns the bounds of gRFC A66.
const Buckets& BytesBuckets() {
  static const auto* const buckets =
      new Buckets{0,       1 << 10, 1 << 11, 1 << 12, 1 << 14, 1 << 16, 1 << 18,
                  1 << 20, 1 << 22, 1 << 24, 1 << 26, 1 << 28, 1 << 30, 0x1p32};
  return *buckets;
}

// Keeps a histogram for each status with which calls of a method end. `family`
// and `buckets` must outlive it. Thread-safe.
class HistogramByStatus {
 public:
  HistogramByStatus(std::string method,
                    prometheus::Family<prometheus::Histogram>* family,
                    const Buckets& buckets)
      : method_(std::move(method)), family_(*family), buckets_(buckets) {}

  void Observe(grpc::StatusCode code, double value) {
    auto index = static_cast<std::size_t>(code);
    if (index >= by_code_.size()) index = grpc::StatusCode::UNKNOWN;
    prometheus::Histogram* histogram =
        by_code_[index].load(std::memory_order_acquire);
    if (histogram == nullptr) {
      histogram = &family_.Add(
          {{"grpc_method", method_},
           {"grpc_status",
            absl::StatusCodeToString(static_cast<absl::StatusCode>(index))}},
          buckets_);
      by_code_[index].store(histogram, std::memory_order_release);
    }
    histogram->Observe(value);
  }

 private:
  const std::string method_;
  prometheus::Family<prometheus::Histogram>& family_;
  const Buckets& buckets_;
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

class CallCounter final : public grpc::experimental::Interceptor {
 public:
  explicit CallCounter(MethodMetrics* metrics) : metrics_(metrics) {
    metrics_->started.Increment();
  }

  // A call that ended without a status from the server was cancelled.
  ~CallCounter() override {
    const std::chrono::duration<double> time =
        std::chrono::steady_clock::now() - start_;
    metrics_->seconds.Observe(code_, time.count());
    if (!metrics_->sent_bytes) return;
    metrics_->sent_bytes->Observe(code_, static_cast<double>(sent_bytes_));
    metrics_->received_bytes->Observe(code_,
                                      static_cast<double>(received_bytes_));
  }

  void Intercept(
      grpc::experimental::InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(
            InterceptionHookPoints::PRE_SEND_STATUS)) {
      code_ = methods->GetSendStatus().error_code();
    }
    if (metrics_->sent_bytes) Measure(methods);
    methods->Proceed();
  }

 private:
  void Measure(grpc::experimental::InterceptorBatchMethods* methods) {
    if (methods->QueryInterceptionHookPoint(
            InterceptionHookPoints::PRE_SEND_MESSAGE)) {
      sent_bytes_ += methods->GetSerializedSendMessage()->Length();
    }
    if (methods->QueryInterceptionHookPoint(
            InterceptionHookPoints::POST_RECV_MESSAGE)) {
      // Null at the end of a stream.
      const auto* const message =
          static_cast<const grpc::ByteBuffer*>(methods->GetRecvMessage());
      if (message != nullptr) received_bytes_ += message->Length();
    }
  }

  MethodMetrics* const metrics_;
  const std::chrono::steady_clock::time_point start_ =
      std::chrono::steady_clock::now();
  grpc::StatusCode code_ = grpc::StatusCode::CANCELLED;
  // A stream reads and writes at the same time.
  std::atomic<std::uint64_t> sent_bytes_{0};
  std::atomic<std::uint64_t> received_bytes_{0};
};

prometheus::Family<prometheus::Histogram>& HistogramFamily(
    prometheus::Registry* registry, const std::string& name,
    const std::string& help) {
  return prometheus::BuildHistogram()
      .Name("grpc_server_call_" + name)
      .Help(help + ", by method and status.")
      .Register(*registry);
}

// Returns the full names of the methods whose messages are measured: those of
// our service, whose messages are grpc::ByteBuffer (RawUsageReportingService).
// A test measures each of them.
std::vector<std::string> MeasuredMethods() {
  std::vector<std::string> methods;
  const ::google::protobuf::ServiceDescriptor* const service =
      v1::ReportUsageRequest::descriptor()->file()->service(0);
  for (int i = 0; i < service->method_count(); ++i) {
    methods.push_back(std::string(service->full_name()) + "/" +
                      std::string(service->method(i)->name()));
  }
  return methods;
}

class CallCounterFactory final
    : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  explicit CallCounterFactory(prometheus::Registry* registry) {
    auto& started = prometheus::BuildCounter()
                        .Name("grpc_server_call_started_total")
                        .Help("Calls started, by method.")
                        .Register(*registry);
    auto& seconds =
        HistogramFamily(registry, "duration_seconds", "How long calls took");
    auto& sent =
        HistogramFamily(registry, "sent_total_compressed_message_size_bytes",
                        "Bytes of the messages that a call sent");
    auto& received =
        HistogramFamily(registry, "rcvd_total_compressed_message_size_bytes",
                        "Bytes of the messages that a call received");
    const auto add = [&](const std::string& method) {
      std::unique_ptr<MethodMetrics> metrics(
          new MethodMetrics{started.Add({{"grpc_method", method}}),
                            {method, &seconds, SecondsBuckets()},
                            {},
                            {}});
      return methods_.emplace(method, std::move(metrics)).first->second.get();
    };
    for (const std::string& method : MeasuredMethods()) {
      MethodMetrics* const metrics = add(method);
      metrics->sent_bytes.emplace(method, &sent, BytesBuckets());
      metrics->received_bytes.emplace(method, &received, BytesBuckets());
    }
    for (const char* method :
         {"grpc.health.v1.Health/Check", "grpc.health.v1.Health/Watch",
          "grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
          "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"}) {
      add(method);
    }
    other_ = add("other");
  }

  grpc::experimental::Interceptor* CreateServerInterceptor(
      grpc::experimental::ServerRpcInfo* info) override {
    std::string_view method = info->method();
    if (!method.empty() && method.front() == '/') method.remove_prefix(1);
    const auto found = methods_.find(method);
    // gRPC deletes it.
    return new CallCounter(found == methods_.end() ? other_
                                                   : found->second.get());
  }

 private:
  std::map<std::string, std::unique_ptr<MethodMetrics>, std::less<>> methods_;
  MethodMetrics* other_;  // of methods_
};

}  // namespace

const prometheus::Histogram::BucketBoundaries& SecondsBuckets() {
  static const auto* const buckets =
      new Buckets{0.0001, 0.0003, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05,
                  0.1,    0.25,   0.5,   1,     2.5,   5,    10,    30};
  return *buckets;
}

std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>
NewCallCounterFactory(prometheus::Registry* registry) {
  return std::make_unique<CallCounterFactory>(registry);
}

}  // namespace tokenusage
