// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/rpc/health_calls.h"

#include <cstddef>
#include <string_view>

#include "grpcpp/support/byte_buffer.h"
#include "tokenusage/service/rpc/grpc_request.h"

namespace tokenusage {
namespace {

constexpr std::string_view kHealthPrefix = "/grpc.health.v1.Health/";
constexpr std::size_t kMaxRequestBytes = 4 << 10;

// Unpacks a request, which the health service takes as a ByteBuffer.
void Unpack(void* message) {
  if (message == nullptr) return;
  auto& bytes = *static_cast<grpc::ByteBuffer*>(message);
  BinaryRequest request(bytes);
  if (request.Unpack(kMaxRequestBytes).ok()) bytes = request.bytes();
}

}  // namespace

// Lives as long as the call, inside its context: while `mutex_` is held, no
// registered context is destroyed.
class HealthCalls::Call final : public grpc::experimental::Interceptor {
 public:
  // `watch` is the call's context if it is a watch, otherwise null.
  Call(HealthCalls* calls, grpc::ServerContextBase* watch)
      : calls_(*calls), watch_(watch) {
    if (watch_ == nullptr) return;
    const std::lock_guard<std::mutex> lock(calls_.mutex_);
    calls_.watches_.insert(watch_);
  }

  ~Call() override {
    if (watch_ == nullptr) return;
    const std::lock_guard<std::mutex> lock(calls_.mutex_);
    calls_.watches_.erase(watch_);
  }

  void Intercept(
      grpc::experimental::InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(
            grpc::experimental::InterceptionHookPoints::POST_RECV_MESSAGE)) {
      Unpack(methods->GetRecvMessage());
    }
    methods->Proceed();
  }

 private:
  HealthCalls& calls_;
  grpc::ServerContextBase* const watch_;
};

class HealthCalls::Factory final
    : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  explicit Factory(HealthCalls* calls) : calls_(calls) {}

  grpc::experimental::Interceptor* CreateServerInterceptor(
      grpc::experimental::ServerRpcInfo* info) override {
    const std::string_view method = info->method();
    if (method.substr(0, kHealthPrefix.size()) != kHealthPrefix) return nullptr;
    const bool is_watch = method.substr(kHealthPrefix.size()) == "Watch";
    // gRPC deletes it.
    return new Call(calls_, is_watch ? info->server_context() : nullptr);
  }

 private:
  HealthCalls* const calls_;
};

std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>
HealthCalls::NewInterceptorFactory() {
  return std::make_unique<Factory>(this);
}

bool HealthCalls::has_watches() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return !watches_.empty();
}

void HealthCalls::CancelWatches() {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (grpc::ServerContextBase* context : watches_) context->TryCancel();
}

}  // namespace tokenusage
