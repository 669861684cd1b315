// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/server/health_watches.h"

#include <string_view>
#include <utility>

namespace tokenusage {

// Lives as long as the call, inside its context: while `mutex_` is held, no
// registered context is destroyed.
class HealthWatches::Watch final : public grpc::experimental::Interceptor {
 public:
  Watch(std::shared_ptr<HealthWatches> watches,
        grpc::ServerContextBase* context)
      : watches_(std::move(watches)), context_(context) {
    const std::lock_guard<std::mutex> lock(watches_->mutex_);
    watches_->contexts_.insert(context_);
  }

  ~Watch() override {
    const std::lock_guard<std::mutex> lock(watches_->mutex_);
    watches_->contexts_.erase(context_);
  }

  void Intercept(
      grpc::experimental::InterceptorBatchMethods* methods) override {
    methods->Proceed();
  }

 private:
  const std::shared_ptr<HealthWatches> watches_;
  grpc::ServerContextBase* const context_;
};

class HealthWatches::Factory final
    : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  explicit Factory(std::shared_ptr<HealthWatches> watches)
      : watches_(std::move(watches)) {}

  grpc::experimental::Interceptor* CreateServerInterceptor(
      grpc::experimental::ServerRpcInfo* info) override {
    if (std::string_view(info->method()) != "/grpc.health.v1.Health/Watch") {
      return nullptr;
    }
    return new Watch(watches_, info->server_context());  // gRPC deletes it
  }

 private:
  const std::shared_ptr<HealthWatches> watches_;
};

std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>
HealthWatches::NewFactory() {
  return std::make_unique<Factory>(shared_from_this());
}

bool HealthWatches::empty() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return contexts_.empty();
}

void HealthWatches::CancelAll() {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (grpc::ServerContextBase* context : contexts_) context->TryCancel();
}

}  // namespace tokenusage
