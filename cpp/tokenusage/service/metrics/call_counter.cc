// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/metrics/call_counter.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "grpcpp/support/byte_buffer.h"

namespace tokenusage {
namespace {

using Buckets = prometheus::Histogram::BucketBoundaries;

// Returns the bounds of gRFC A66.
const Buckets& BytesBuckets() {
  static const auto* const buckets =
      new Buckets{0,       1 << 10, 1 << 11, 1 << 12, 1 << 14, 1 << 16, 1 << 18,
                  1 << 20, 1 << 22, 1 << 24, 1 << 26, 1 << 28, 1 << 30, 0x1p32};
  return *buckets;
}

using grpc::experimental::InterceptionHookPoints;

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

}  // namespace

const prometheus::Histogram::BucketBoundaries& SecondsBuckets() {
  static const auto* const buckets =
      new Buckets{0.0001, 0.0003, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05,
                  0.1,    0.25,   0.5,   1,     2.5,   5,    10,    30};
  return *buckets;
}

void HistogramByStatus::Observe(grpc::StatusCode code, double value) {
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

CallCounterFactory::CallCounterFactory(prometheus::Registry* registry,
                                       const Methods& methods) {
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
  const auto add = [&](const std::string& method, bool is_raw) {
    std::unique_ptr<MethodMetrics> metrics(
        new MethodMetrics{started.Add({{"grpc_method", method}}),
                          {method, &seconds, SecondsBuckets()},
                          {},
                          {}});
    if (is_raw) {
      metrics->sent_bytes.emplace(method, &sent, BytesBuckets());
      metrics->received_bytes.emplace(method, &received, BytesBuckets());
    }
    return methods_.emplace(method, std::move(metrics)).first->second.get();
  };
  for (const std::string& method : methods.raw) add(method, true);
  for (const std::string& method : methods.other) add(method, false);
  other_ = add("other", false);
}

grpc::experimental::Interceptor* CallCounterFactory::CreateServerInterceptor(
    grpc::experimental::ServerRpcInfo* info) {
  std::string_view method = info->method();
  if (!method.empty() && method.front() == '/') method.remove_prefix(1);
  const auto found = methods_.find(method);
  // gRPC deletes it.
  return new CallCounter(found == methods_.end() ? other_
                                                 : found->second.get());
}

}  // namespace tokenusage
