#include "tokenusage/service/metrics/call_counter.h"

#include <chrono>
#include <cstddef>
#include <string_view>
#include <utility>

namespace tokenusage {
namespace {

const prometheus::Histogram::BucketBoundaries kSeconds = {
    0.0001, 0.0003, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05,
    0.1,    0.25,   0.5,   1,     2.5,   5,    10,    30};

// As gRPC spells its status codes.
constexpr std::array<const char*, 17> kCodeNames = {"OK",
                                                    "CANCELLED",
                                                    "UNKNOWN",
                                                    "INVALID_ARGUMENT",
                                                    "DEADLINE_EXCEEDED",
                                                    "NOT_FOUND",
                                                    "ALREADY_EXISTS",
                                                    "PERMISSION_DENIED",
                                                    "RESOURCE_EXHAUSTED",
                                                    "FAILED_PRECONDITION",
                                                    "ABORTED",
                                                    "OUT_OF_RANGE",
                                                    "UNIMPLEMENTED",
                                                    "INTERNAL",
                                                    "UNAVAILABLE",
                                                    "DATA_LOSS",
                                                    "UNAUTHENTICATED"};

class CallCounter final : public grpc::experimental::Interceptor {
 public:
  explicit CallCounter(MethodMetrics* metrics) : metrics_(metrics) {
    metrics_->OnStart();
  }

  // A call that ended without a status of the server's went away.
  ~CallCounter() override {
    const std::chrono::duration<double> time =
        std::chrono::steady_clock::now() - start_;
    metrics_->OnEnd(code_, time.count());
  }

  void Intercept(
      grpc::experimental::InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(
            grpc::experimental::InterceptionHookPoints::PRE_SEND_STATUS)) {
      code_ = methods->GetSendStatus().error_code();
    }
    methods->Proceed();
  }

 private:
  MethodMetrics* const metrics_;
  const std::chrono::steady_clock::time_point start_ =
      std::chrono::steady_clock::now();
  grpc::StatusCode code_ = grpc::StatusCode::CANCELLED;
};

}  // namespace

MethodMetrics::MethodMetrics(
    std::string method, prometheus::Family<prometheus::Counter>* started,
    prometheus::Family<prometheus::Histogram>* duration)
    : method_(std::move(method)),
      started_(started->Add({{"grpc_method", method_}})),
      duration_(*duration) {}

void MethodMetrics::OnEnd(grpc::StatusCode code, double seconds) {
  auto index = static_cast<std::size_t>(code);
  if (index >= by_code_.size()) index = grpc::StatusCode::UNKNOWN;
  prometheus::Histogram* histogram =
      by_code_[index].load(std::memory_order_acquire);
  if (histogram == nullptr) {
    histogram = &duration_.Add(
        {{"grpc_method", method_}, {"grpc_status", kCodeNames[index]}},
        kSeconds);
    by_code_[index].store(histogram, std::memory_order_release);
  }
  histogram->Observe(seconds);
}

CallCounterFactory::CallCounterFactory(
    prometheus::Registry* registry, const std::vector<std::string>& methods) {
  auto& started = prometheus::BuildCounter()
                      .Name("grpc_server_call_started_total")
                      .Help("Calls started, by method.")
                      .Register(*registry);
  auto& duration = prometheus::BuildHistogram()
                       .Name("grpc_server_call_duration_seconds")
                       .Help("How long calls took, by method and status.")
                       .Register(*registry);
  for (const std::string& method : methods) {
    methods_.emplace(
        method, std::make_unique<MethodMetrics>(method, &started, &duration));
  }
  other_ = std::make_unique<MethodMetrics>("other", &started, &duration);
}

grpc::experimental::Interceptor* CallCounterFactory::CreateServerInterceptor(
    grpc::experimental::ServerRpcInfo* info) {
  std::string_view method = info->method();
  if (!method.empty() && method.front() == '/') method.remove_prefix(1);
  const auto found = methods_.find(method);
  // gRPC deletes it.
  return new CallCounter(found == methods_.end() ? other_.get()
                                                 : found->second.get());
}

}  // namespace tokenusage
